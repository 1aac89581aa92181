"""What `init` left, kept by fingerprint and shared by every worktree: `.terraform` becomes a link to it.

A link, not a copy, so that nothing that a commit brings along as `.terraform` is ever used, and so that
`path.module` reads the same as without us. A kept one is never written again: each real init makes a new directory.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bot.terraform.fingerprint import LOCK_FILE

_WAIT = 120.0
"""Seconds to wait for another init; then both run, the later one without the shared plugin cache."""
_USERS = "towpath.roots"
_LOCK = "towpath.lock.hcl"


class Inits:
    """The kept ones, below one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def find(self, fingerprint: str) -> Path | None:
        try:
            name = (self.directory / f"{fingerprint}.ref").read_text()
        except FileNotFoundError:
            return None
        kept = self.directory / name
        return kept if kept.is_dir() else None

    def new(self) -> Path:
        """An empty directory for an init to come."""
        fresh = self.directory / uuid.uuid4().hex
        fresh.mkdir(mode=0o700)
        return fresh

    def publish(self, kept: Path, fingerprints: set[str], root: Path) -> None:
        """Keep what an init left in `kept`, with the lock file that it wrote or changed."""
        lock = root / LOCK_FILE
        (kept / _LOCK).write_bytes(lock.read_bytes() if lock.is_file() else b"")
        for fingerprint in fingerprints:
            draft = self.directory / f".{fingerprint}.{uuid.uuid4().hex}"
            draft.write_text(kept.name)
            draft.replace(self.directory / f"{fingerprint}.ref")

    def discard(self, kept: Path) -> None:
        """An init that failed leaves nothing."""
        shutil.rmtree(kept, ignore_errors=True)

    def link(self, root: Path, kept: Path) -> None:
        """Make `root/.terraform` a link to `kept`, whatever was there, and put its lock file back."""
        link = root / ".terraform"
        if not (link.is_symlink() and link.readlink() == kept):
            if link.is_dir() and not link.is_symlink():
                shutil.rmtree(link)
            else:
                link.unlink(missing_ok=True)
            link.symlink_to(kept)
            with (kept / _USERS).open("a") as users:
                users.write(f"{root}\n")
        os.utime(kept)
        lock = root / LOCK_FILE
        content = (kept / _LOCK).read_bytes() if (kept / _LOCK).is_file() else b""
        if content and not (lock.is_file() and lock.read_bytes() == content):
            lock.unlink(missing_ok=True)
            lock.write_bytes(content)

    @staticmethod
    def backend(root: Path) -> tuple[str, dict[str, Any]]:
        """(kind, settings that are set) of the backend that init recorded; ("", {}) where it recorded none."""
        try:
            content = json.loads((root / ".terraform" / "terraform.tfstate").read_text())
        except FileNotFoundError:
            return "", {}
        backend = content.get("backend") or {}
        config = {key: value for key, value in (backend.get("config") or {}).items() if value is not None}
        return str(backend.get("type", "")), config

    @staticmethod
    def workspace(root: Path) -> str:
        """The workspace that was chosen there; `default` where none was."""
        try:
            return (root / ".terraform" / "environment").read_text().strip() or "default"
        except FileNotFoundError:
            return "default"

    @contextmanager
    def alone(self, cancelled: Callable[[], bool]) -> Iterator[bool]:
        """One init at a time, since Terraform's plugin cache bears no two. False where the wait was too long: an
        init that hangs must not stop all others."""
        until = time.monotonic() + _WAIT
        with (self.directory / "lock").open("w") as file:
            got = False
            while not got and time.monotonic() < until and not cancelled():
                with suppress(BlockingIOError):
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    got = True
                if not got:
                    time.sleep(0.05)
            yield got

    def collect(self, *, older: float, largest: int) -> int:
        """Remove what no worktree links to: all that was unused for `older` seconds, then the longest unused until
        the rest takes `largest` bytes. Returns how many went."""
        kept = sorted(
            (path for path in self.directory.iterdir() if path.is_dir()), key=lambda p: p.stat().st_mtime
        )
        sizes = {path: _size(path) for path in kept}
        total = sum(sizes.values())
        removed = 0
        for path in kept:
            age = time.time() - path.stat().st_mtime
            if (age < older and total <= largest) or age < 60 or self._used(path):
                continue
            shutil.rmtree(path, ignore_errors=True)
            total -= sizes[path]
            removed += 1
        for reference in self.directory.glob("*.ref"):
            if not (self.directory / reference.read_text()).is_dir():
                reference.unlink(missing_ok=True)
        return removed

    @staticmethod
    def _used(kept: Path) -> bool:
        with suppress(OSError):
            for root in (kept / _USERS).read_text().splitlines():
                with suppress(OSError):
                    if (Path(root) / ".terraform").readlink() == kept:
                        return True
        return False


def _size(directory: Path) -> int:
    """Bytes of what is in it, links not followed."""
    return sum((Path(at) / name).lstat().st_size for at, _, names in os.walk(directory) for name in names)
