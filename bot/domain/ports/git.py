"""git as the services see it: a bare mirror a repository, a worktree a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Remote:
    """Where a repository is fetched from. `credentials` (user, password) go by call, never into a config file."""

    repository: str
    url: str
    credentials: tuple[str, str] | None = None


class Git(Protocol):
    """Raises bot.errors.UserError where a commit does not exist, GitUnavailable where the remote does not answer."""

    def fetch(self, remote: Remote, commits: Sequence[str], *, refs: Sequence[str] = ()) -> None:
        """Make `commits` readable in the mirror; no network where they already are. `refs` are hints where to look
        (such as `refs/pull/3/head`, `refs/heads/main`)."""
        ...

    def tip(self, remote: Remote, branch: str) -> str:
        """The commit that a branch of the remote points to now."""
        ...

    def read(self, repository: str, commit: str, path: str) -> bytes | None:
        """A file's bytes at a commit, or None where there is no such file."""
        ...

    def files(self, repository: str, commit: str, under: str = "") -> list[str]:
        """Paths of all files at a commit below `under`."""
        ...

    def blobs(self, repository: str, commit: str) -> dict[str, str]:
        """Path → git's id of its content, for all files at a commit."""
        ...

    def changed(self, repository: str, base: str, head: str) -> list[str]:
        """Paths that differ between the merge base of both and `head` (renames give both names)."""
        ...

    def merge_base(self, repository: str, base: str, head: str) -> str: ...

    def is_ancestor(self, repository: str, ancestor: str, commit: str) -> bool: ...

    def commits(self, repository: str, base: str, head: str, most: int) -> list[str]:
        """Those of `head` that `base` does not contain, newest first; the newest `most` of them."""
        ...

    def checkout(self, repository: str, commit: str, path: Path) -> str:
        """A clean worktree of `commit` at exactly `path` (made, or put back byte for byte); returns the tree id."""
        ...

    def move(self, path: Path, to: Path) -> bool:
        """Let a worktree that nobody needs any more become `to`, so that checking out there writes only what differs;
        nothing untracked comes along. False where `path` is no worktree, or `to` is there already."""
        ...

    def remove(self, path: Path) -> None:
        """Remove a worktree; nothing happens where there is none."""
        ...
