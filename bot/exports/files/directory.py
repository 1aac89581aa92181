"""Files below a directory, readable by the bot's user alone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from bot.errors import UserError


class DirectoryStore:
    """Files below a directory. What a killed process left unfinished has a key of its own, so that it is deleted with the
    rest."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, key: str, data: bytes) -> None:
        path = self._path(key)
        part = path.with_name(f"{path.name}.{uuid4().hex[:8]}.part")
        with self._failures("written"):
            self._make(path.parent)
            try:
                with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(path)
            except OSError:
                part.unlink(missing_ok=True)
                raise
            _sync(path.parent)

    def get(self, key: str) -> bytes | None:
        with self._failures("read"):
            try:
                return self._path(key).read_bytes()
            except FileNotFoundError:
                return None

    def keys(self, prefix: str) -> Iterator[str]:
        top = self._path(prefix.rpartition("/")[0])
        for path in sorted(top.rglob("*")) if top.is_dir() else ():
            key = str(path.relative_to(self._directory))
            if path.is_file() and key.startswith(prefix):
                yield key

    def delete(self, keys: Iterable[str]) -> None:
        parents = set[Path]()
        with self._failures("deleted"):
            for key in keys:
                self._path(key).unlink(missing_ok=True)
                parents.add(self._path(key).parent)
        for parent in sorted(parents, key=lambda one: -len(one.parts)):
            if parent.is_dir() and not any(path.is_file() for path in parent.rglob("*")):
                shutil.rmtree(parent, ignore_errors=True)

    def _make(self, directory: Path) -> None:
        """Make a directory and those above it, all for the bot's user alone."""
        for path in reversed([directory, *directory.parents]):
            if not path.exists():
                path.mkdir(mode=0o700, exist_ok=True)

    def _path(self, key: str) -> Path:
        path = self._directory / key
        if ".." in path.parts:
            raise ValueError(f"not a key: {key!r}")
        return path

    @contextmanager
    def _failures(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UserError(
                f"An export's file cannot be {what} below `{self._directory}`: {error.strerror}.",
                next_step="Free some space there, or set TOWPATH_EXPORT_BUCKET, and run the export again."
                if what == "written"
                else f"Give the bot's user all rights on `{self._directory}`, and run the export again.",
            ) from error


def _sync(directory: Path) -> None:
    """Let a renamed file survive a power cut."""
    opened = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
