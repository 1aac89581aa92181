"""Locks across threads and processes."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file at `path`, waiting for it if needed. A process that dies releases it.

    flock belongs to the open file, so two threads of one process exclude each other just as two processes do. Child
    processes do not inherit it, since Python opens files close-on-exec.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
