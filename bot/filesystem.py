"""Remove and measure directories that anybody may have filled, however deep they are."""

from __future__ import annotations

import os
import stat
import uuid
from contextlib import suppress
from pathlib import Path

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_tree(path: Path) -> None:
    """Remove a directory with its contents, or a file; there may be none. Raises OSError for what cannot be removed.

    Each directory is moved to the top before it is emptied, so that neither depth nor the length of a path matters:
    before Python 3.13, `shutil.rmtree` calls itself for each level, and a commit or a module may have a thousand. Links
    are removed, not followed, and directories without permissions are opened up.
    """
    try:
        top = os.open(path, _DIRECTORY)
    except FileNotFoundError:
        return
    except PermissionError:
        path.chmod(stat.S_IRWXU)
        top = os.open(path, _DIRECTORY)
    except OSError:
        path.unlink()
        return
    try:
        pending = _empty(top, top)
        while pending:
            name = pending.pop()
            directory = _open(top, name)
            try:
                pending += _empty(top, directory)
            finally:
                os.close(directory)
            with suppress(FileNotFoundError):
                os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)
    with suppress(FileNotFoundError):
        path.rmdir()


def tree_size(path: Path) -> int:
    """Return the bytes of all files below a directory; links are not followed, and what cannot be read counts nothing."""
    size, pending = 0, [os.fspath(path)]
    while pending:
        with suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                else:
                    size += entry.stat(follow_symlinks=False).st_size
    return size


def _empty(top: int, directory: int) -> list[str]:
    """Remove a directory's files, and move its directories to `top`; return their names there."""
    os.fchmod(directory, stat.S_IRWXU)
    with os.scandir(directory) as found:
        entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found]
    moved = []
    for name, is_directory in entries:
        with suppress(FileNotFoundError):
            if not is_directory:
                os.unlink(name, dir_fd=directory)
            elif directory == top:
                moved.append(name)
            else:
                moved.append(_move(name, directory, top))
    return moved


def _move(name: str, directory: int, top: int) -> str:
    new = f".{uuid.uuid4().hex}"
    try:
        os.rename(name, new, src_dir_fd=directory, dst_dir_fd=top)
    except PermissionError:  # to move a directory to another one, it must be writable itself
        os.chmod(name, stat.S_IRWXU, dir_fd=directory)
        os.rename(name, new, src_dir_fd=directory, dst_dir_fd=top)
    return new


def _open(top: int, name: str) -> int:
    try:
        return os.open(name, _DIRECTORY, dir_fd=top)
    except PermissionError:
        os.chmod(name, stat.S_IRWXU, dir_fd=top)
        return os.open(name, _DIRECTORY, dir_fd=top)
