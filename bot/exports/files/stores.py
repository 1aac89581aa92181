"""Where files can be stored: both kinds of stores write a file whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol


class FileStore(Protocol):
    """Files by key. Safe to share between threads. Every method raises UserError if the store denies it or is full, and
    TransientError if it does not answer."""

    def put(self, key: str, data: bytes) -> None:
        """Write a file, whole or not at all."""
        ...

    def get(self, key: str) -> bytes | None:
        """Return a file's content, None if there is none."""
        ...

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin with `prefix`."""
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Delete files in this order; those that are gone already do not matter."""
        ...
