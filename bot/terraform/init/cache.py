"""Cache the results of `init` by fingerprint, shared by all worktrees: `.terraform` becomes a link to one.

It is a link, not a copy, so that a `.terraform` that was committed is never used, and so that `path.module` is the
same as without the cache. A cached directory is never written again: each real init makes a new one.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bot.filesystem import remove_tree, tree_size
from bot.terraform.config.provider_uses import LOCK_FILE

_MAX_WAIT = 120.0
"""Seconds to wait for another init; then both run, the later one without the shared plugin cache."""
_ROOTS_FILE = "towpath.roots"
"""Lists the root modules that were linked to a cached directory."""
_LOCK_COPY = "towpath.lock.hcl"
"""The dependency lock file as the init left it."""
_MIN_AGE = 60.0
"""Seconds for which an unused directory is never removed: it may be about to be linked."""


class InitCache:
    """The cached results, below one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def find(self, fingerprint: str) -> Path | None:
        """Return the cached directory for a fingerprint, or None."""
        try:
            name = (self.directory / f"{fingerprint}.ref").read_text()
        except FileNotFoundError:
            return None
        directory = self.directory / name
        return directory if directory.is_dir() else None

    def new(self) -> Path:
        """Create an empty directory for an init to write into."""
        directory = self.directory / uuid.uuid4().hex
        directory.mkdir(mode=0o700)
        return directory

    def publish(self, directory: Path, fingerprints: set[str], root: Path) -> None:
        """Make a finished init available under `fingerprints`, with the lock file that it wrote or changed."""
        lock = root / LOCK_FILE
        (directory / _LOCK_COPY).write_bytes(lock.read_bytes() if lock.is_file() else b"")
        for fingerprint in fingerprints:
            draft = self.directory / f".{fingerprint}.{uuid.uuid4().hex}"
            draft.write_text(directory.name)
            draft.replace(self.directory / f"{fingerprint}.ref")

    def discard(self, directory: Path) -> None:
        """Remove the directory of an init that failed."""
        with suppress(OSError):
            remove_tree(directory)

    def link(self, root: Path, directory: Path) -> None:
        """Replace `root/.terraform` by a link to `directory`, and restore the lock file of that init."""
        link = root / ".terraform"
        if not (link.is_symlink() and link.readlink() == directory):
            if link.is_dir() and not link.is_symlink():
                remove_tree(link)
            else:
                link.unlink(missing_ok=True)
            link.symlink_to(directory)
            with (directory / _ROOTS_FILE).open("a") as roots:
                roots.write(f"{root}\n")
        os.utime(directory)
        lock, copy = root / LOCK_FILE, directory / _LOCK_COPY
        content = copy.read_bytes() if copy.is_file() else b""
        if content and not (lock.is_file() and lock.read_bytes() == content):
            lock.unlink(missing_ok=True)
            lock.write_bytes(content)

    def directory_of(self, root: Path) -> Path | None:
        """Return the cached directory that `root` was linked to; None if something else changed the link since."""
        try:
            directory = (root / ".terraform").readlink()
            roots = (
                (directory / _ROOTS_FILE).read_text().splitlines()
                if directory.parent == self.directory
                else []
            )
        except OSError:
            return None
        return directory if str(root) in roots else None

    @staticmethod
    def backend(root: Path) -> tuple[str, dict[str, Any]]:
        """Return (kind, settings that are not null) of the backend that init recorded, or ("", {}) if it recorded none."""
        try:
            content = json.loads((root / ".terraform" / "terraform.tfstate").read_text())
        except FileNotFoundError:
            return "", {}
        backend = content.get("backend") or {}
        config = {key: value for key, value in (backend.get("config") or {}).items() if value is not None}
        return str(backend.get("type", "")), config

    @staticmethod
    def workspace(root: Path) -> str:
        """Return the workspace selected in `root`, or `default`."""
        try:
            return (root / ".terraform" / "environment").read_text().strip() or "default"
        except FileNotFoundError:
            return "default"

    @contextmanager
    def exclusive(self, cancelled: Callable[[], bool]) -> Iterator[bool]:
        """Wait until no other init runs, since Terraform's plugin cache is not safe for concurrent use.

        Yields False if the wait was cancelled or took too long: an init that hangs must not block all others.
        """
        deadline = time.monotonic() + _MAX_WAIT
        with (self.directory / "lock").open("w") as file:
            locked = False
            while not locked and time.monotonic() < deadline and not cancelled():
                with suppress(BlockingIOError):
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    locked = True
                if not locked:
                    time.sleep(0.05)
            yield locked

    def collect(self, *, older: float, largest: int) -> int:
        """Remove directories that no worktree links to; return how many were removed.

        older: seconds since the last use after which all are removed. largest: bytes; the least recently used are
        removed until the rest takes no more.
        """
        directories = sorted(
            (path for path in self.directory.iterdir() if path.is_dir()),
            key=lambda path: path.stat().st_mtime,
        )
        sizes = {path: tree_size(path) for path in directories}
        total = sum(sizes.values())
        removed = 0
        for path in directories:
            age = time.time() - path.stat().st_mtime
            if (age < older and total <= largest) or age < _MIN_AGE or self._is_linked(path):
                continue
            with suppress(OSError):
                remove_tree(path)
            total -= sizes[path]
            removed += 1
        for reference in self.directory.glob("*.ref"):
            if not (self.directory / reference.read_text()).is_dir():
                reference.unlink(missing_ok=True)
        return removed

    @staticmethod
    def _is_linked(directory: Path) -> bool:
        with suppress(OSError):
            for root in (directory / _ROOTS_FILE).read_text().splitlines():
                with suppress(OSError):
                    if (Path(root) / ".terraform").readlink() == directory:
                        return True
        return False
