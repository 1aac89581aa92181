"""Port for git: commits read from a local mirror, and worktrees for plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Remote:
    """Where a repository is fetched from. credentials: (user, password), passed per call and never written to a file."""

    repository: str
    url: str
    credentials: tuple[str, str] | None = None


class Git(Protocol):
    """All methods raise UserError if a commit does not exist, and GitUnavailable if the remote does not answer."""

    def fetch(self, remote: Remote, commits: Sequence[str], *, refs: Sequence[str] = ()) -> None:
        """Make `commits` readable in the mirror; uses no network if they already are.

        refs: where to look for them if the remote refuses ids, such as `refs/pull/3/head` or `refs/heads/main`.
        """
        ...

    def tip(self, remote: Remote, branch: str) -> str:
        """Return the commit that a branch of the remote points to now."""
        ...

    def read(self, repository: str, commit: str, path: str) -> bytes | None:
        """Return a file's bytes at a commit, or None if there is no such file."""
        ...

    def files(self, repository: str, commit: str, under: str = "") -> list[str]:
        """Return the paths of all files at a commit, below the directory `under`."""
        ...

    def blobs(self, repository: str, commit: str) -> dict[str, str]:
        """Return path → id of its blob, for all files at a commit."""
        ...

    def changed(self, repository: str, base: str, head: str) -> list[str]:
        """Return the paths that differ between the merge base and `head`; a rename counts as both paths."""
        ...

    def merge_base(self, repository: str, base: str, head: str) -> str:
        """Return the merge base of two commits. Raises UserError if they have no common history."""
        ...

    def is_ancestor(self, repository: str, ancestor: str, commit: str) -> bool:
        """Whether `commit` contains `ancestor`; a commit contains itself."""
        ...

    def commits(self, repository: str, base: str, head: str, most: int) -> list[str]:
        """Return the newest `most` commits that `head` contains and `base` does not, newest first."""
        ...

    def checkout(self, repository: str, commit: str, path: Path) -> str:
        """Check out `commit` at exactly `path`, in a new or existing worktree; return the tree id."""
        ...

    def move(self, path: Path, to: Path) -> bool:
        """Turn an unused worktree into the one at `to`, so that its next checkout writes only what differs.

        Untracked files are not kept. Returns False if `path` is not a worktree, or if `to` exists.
        """
        ...

    def remove(self, path: Path) -> None:
        """Remove a worktree, if there is one."""
        ...
