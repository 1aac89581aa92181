"""Limits for what is read of a commit, which anybody may have pushed, and the refusals that name them."""

from __future__ import annotations

import os

from bot.domain.refusal import Refusal
from bot.domain.sanitize import outside
from bot.git.command import GitFailed

CODE = "too-large"
MAX_PATHS = 50_000
"""Files and directories in a commit, some 20 MB while they are cached. The setting TOWPATH_MAX_PATHS replaces it."""
MAX_CHANGED = 20_000
"""Paths in which two commits differ."""
MAX_DEPTH = 100
"""Directories above a file."""
MAX_PATH = 1000
"""Bytes of a path: together with the worktree's own it must stay below the system's 4,096."""
MAX_NAME = 255
"""Bytes of one name; no file system takes more."""
BYTES_EACH = 200
"""Bytes of all paths together, for each path that a listing may have: 10 MB for a commit."""
MAX_BLOB = 8 * 1024 * 1024
"""Bytes of a file that is read from git: the limit of a configuration file."""

_TOO_DEEP = "maximum allowed tree depth"
"""Words of git 2.43 and later, which itself refuses trees with more than 2,048 levels."""


class PathLimits:
    """Counts the paths of one listing. what: the listed commit or commits. most: paths. too_many: the refusal of more."""

    def __init__(self, what: str, most: int, too_many: Refusal) -> None:
        self._what, self._most, self._too_many = what, most, too_many
        self._paths = self._bytes = 0

    def check(self, path: bytes) -> None:
        """Count one path. Raises Refusal, which names the limit that is exceeded."""
        self._paths += 1
        self._bytes += len(path)
        if self._paths > self._most:
            raise self._too_many
        if self._bytes > self._most * BYTES_EACH:
            size = f"{self._most * BYTES_EACH / 1_000_000:g}"
            raise Refusal(
                CODE,
                f"{self._what} has paths of more than {size} MB in total, the most that Towpath reads.",
                "Shorten or remove some, then push.",
            )
        if path.count(b"/") > MAX_DEPTH:
            raise too_deep(self._what, path)
        if len(path) > MAX_PATH or (len(path) > MAX_NAME and max(map(len, path.split(b"/"))) > MAX_NAME):
            raise Refusal(
                CODE,
                f"{self._what} has a path of more than {MAX_PATH:,} bytes or a name of more than {MAX_NAME}: "
                f"`{_start(path)}`.",
                "Shorten it, then push.",
            )


def tree_limits(commit: str, most: int) -> PathLimits:
    """Return the limits for the files of a commit."""
    what = f"`{commit[:7]}`"
    return PathLimits(
        what,
        most,
        Refusal(
            CODE,
            f"{what} has more than {most:,} files and directories, the most that Towpath reads of a commit.",
            "Remove those that are not needed and push, or ask the operator to raise `TOWPATH_MAX_PATHS`.",
        ),
    )


def comparison_limits(base: str, head: str) -> PathLimits:
    """Return the limits for the paths in which two commits differ."""
    what = f"`{head[:7]}`"
    return PathLimits(
        what,
        MAX_CHANGED,
        Refusal(
            CODE,
            f"{what} differs from `{base[:7]}` in more than {MAX_CHANGED:,} files, the most that Towpath compares.",
            "Split the change into smaller pull requests, or update the branch.",
        ),
    )


def too_deep(what: str, path: bytes = b"") -> Refusal:
    """Return the refusal of a directory that is too deep."""
    where = f": `{_start(path)}`" if path else ""
    return Refusal(
        CODE, f"{what} has a directory more than {MAX_DEPTH} levels deep{where}.", "Remove it, then push."
    )


def blob_too_large(commit: str, path: str) -> Refusal:
    """Return the refusal to read a large file."""
    return Refusal(
        CODE,
        f"`{outside(path)}` at `{commit[:7]}` is larger than {MAX_BLOB >> 20} MB.",
        "Split it or remove it, then push.",
    )


def refuse_depth(what: str, failure: GitFailed) -> None:
    """Raise the refusal of a deep directory if that is why git failed."""
    if _TOO_DEEP in failure.message:
        raise too_deep(what) from failure


def _start(path: bytes) -> str:
    return outside(os.fsdecode(path[:60])) + "…"
