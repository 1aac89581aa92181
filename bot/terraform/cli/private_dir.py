"""A call's own HOME and TMPDIR: nothing in them outlives the call, and no other call sees them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bot.filesystem import remove_tree

_PREFIX = "towpath-call-"
_ABANDONED = 3 * 86400.0
"""Seconds after which a directory belongs to no call: Terraform outlives its bot, but no environment's `timeout` is this
long."""


@contextmanager
def private_directory() -> Iterator[Path]:
    """Yield a directory with `home` and `tmp` in it, and remove it at the end.

    It is in the system's temporary directory: providers listen on Unix sockets in TMPDIR, whose paths have at most 107
    characters (unix(7)).
    """
    directory = Path(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        for name in ("home", "tmp"):
            (directory / name).mkdir(mode=0o700)
        yield directory
    finally:
        with suppress(OSError):
            remove_tree(directory)


def remove_abandoned() -> None:
    """Remove what calls left whose bot was killed."""
    for directory in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            old = time.time() - directory.stat().st_mtime > _ABANDONED
        except OSError:
            continue
        if old and not directory.is_symlink():
            with suppress(OSError):
                remove_tree(directory)
