"""Fulfils the port `Git`."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from bot.domain.ports.git import Remote
from bot.errors import UserError
from bot.git.command import Command, GitFailed
from bot.git.mirror import Mirror
from bot.git.remote import check
from bot.git.worktree import Worktree, recorded

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_NAME = re.compile(r"(?!\.{1,2}(?:/|$))[A-Za-z0-9._-]+/(?!\.{1,2}$)[A-Za-z0-9._-]+")
_Answer = TypeVar("_Answer")


class Mirrors:
    """Mirrors and worktrees under `data_dir`/git, for any number of threads and processes.

    environment: what git may see of the world besides our settings (PATH, proxies, certificates).
    allow_file: fetch from `file://` too, which only tests should. fetch_timeout: seconds for one fetch.

    File names are text by `os.fsdecode`: what is no UTF-8 survives as surrogates. Submodules are left out, LFS
    pointer files stay as they are, and attributes change no file (each is exactly its blob).
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        executable: str = "git",
        environment: Mapping[str, str] | None = None,
        allow_file: bool = False,
        fetch_timeout: float = 600.0,
    ) -> None:
        protocols = ("http", "https", "ssh") + (("file",) if allow_file else ())
        self._command = Command(executable, dict(environment or {}), protocols)
        self._mirrors = data_dir.absolute() / "git" / "mirrors"
        self._records = data_dir.absolute() / "git" / "worktrees"
        self._fetch_timeout = fetch_timeout
        self._remotes: dict[str, Remote] = {}

    def fetch(self, remote: Remote, commits: Sequence[str], *, refs: Sequence[str] = ()) -> None:
        """Make `commits` readable: by their ids, else by `refs`. No network where they already are.

        Raises UserError where the remote has no such commit or refuses, GitUnavailable where it does not answer.
        """
        check(remote, self._command.protocols)
        for ref in refs:
            if not ref.startswith("refs/") or any(sign in ref for sign in ":*^~?[\\ "):
                raise ValueError(f"not a ref: {ref!r}")
        mirror = self._mirror(remote.repository, commits)
        self._remotes[remote.repository.lower()] = remote
        mirror.fetch(remote, list(dict.fromkeys(commits)), refs)

    def tip(self, remote: Remote, branch: str) -> str:
        """The commit a branch points to now. Raises UserError where there is no such branch, GitUnavailable."""
        check(remote, self._command.protocols)
        ref = f"refs/heads/{branch}"
        mirror = self._mirror(remote.repository, [])
        for line in mirror.advertised(remote, ref).decode().splitlines():
            commit, _, name = line.partition("\t")
            if name == ref:
                return commit
        raise UserError(f"{remote.repository} has no branch {branch}.", next_step="Name one that exists.")

    def read(self, repository: str, commit: str, path: str) -> bytes | None:
        """A file's bytes at a commit; None where there is none, or where it is a link, a directory or a submodule."""

        def work(mirror: Mirror) -> bytes | None:
            if not set(path.split("/")).isdisjoint(("", ".", "..")):
                return None
            for kind, blob, name in _entries(mirror.git("ls-tree", "-z", commit, "--", path)):
                if name == path and kind.startswith("100"):
                    return mirror.git("cat-file", "blob", blob)
            return None

        return self._ask(repository, [commit], work)

    def files(self, repository: str, commit: str, under: str = "") -> list[str]:
        """Paths of all files and links at a commit, below the directory `under`."""
        below = ["--", under.strip("/")] if under.strip("/") else []
        listed = self._ask(
            repository, [commit], lambda mirror: mirror.git("ls-tree", "-r", "-z", commit, *below)
        )
        return [name for kind, _, name in _entries(listed) if not kind.startswith("160000")]

    def changed(self, repository: str, base: str, head: str) -> list[str]:
        """Paths that differ between the merge base of both and `head`; a rename gives both names."""
        start = self.merge_base(repository, base, head)
        options = ("-r", "-z", "--name-only", "--no-renames", "--no-ext-diff")
        listed = self._ask(
            repository, [start, head], lambda mirror: mirror.git("diff-tree", *options, start, head)
        )
        return [os.fsdecode(name) for name in listed.split(b"\0")[:-1]]

    def merge_base(self, repository: str, base: str, head: str) -> str:
        """Raises UserError where the two have no common history."""
        found = self._ask(
            repository, [base, head], lambda mirror: mirror.git("merge-base", base, head, accept=(0, 1))
        )
        if not found:
            raise UserError(
                f"{head[:12]} and {base[:12]} of {repository} have no common history.",
                next_step="Rebase the branch onto the default branch.",
            )
        return found.decode().strip()

    def is_ancestor(self, repository: str, ancestor: str, commit: str) -> bool:
        """Whether `commit` contains `ancestor` (a commit contains itself)."""
        counted = self._ask(
            repository,
            [ancestor, commit],
            lambda mirror: mirror.git("rev-list", "--count", "--max-count=1", ancestor, f"^{commit}"),
        )
        return counted.strip() == b"0"

    def checkout(self, repository: str, commit: str, path: Path) -> str:
        """A clean worktree of `commit` at exactly `path`; returns the tree id.

        An existing one is put back: tracked files byte for byte, others removed but for what `worktree` keeps
        (Terraform's own `.terraform/` and lock file, our override and `.towpath/`). Raises FileExistsError where
        `path` has files in it and was no worktree.
        """
        worktree = Worktree(self._command, self._records, path)
        return self._ask(repository, [commit], lambda mirror: worktree.checkout(mirror.path, commit))

    def remove(self, path: Path) -> None:
        """Remove a worktree; nothing happens where there is none."""
        Worktree(self._command, self._records, path).remove()

    def collect(self, keep: Collection[Path], *, older_than: timedelta) -> list[Path]:
        """Remove the worktrees that are not in `keep` and were last checked out more than `older_than` ago; let git
        pack the mirrors where it is worth it. Returns what was removed. Meant for once a day."""
        kept = {Path(os.path.abspath(path)) for path in keep}  # noqa: PTH100 - as Worktree does
        before = time.time() - older_than.total_seconds()
        removed = []
        for path in recorded(self._records):
            worktree = Worktree(self._command, self._records, path)
            if path not in kept and worktree.touched < before:
                worktree.remove()
                removed.append(path)
        for directory in sorted(self._mirrors.glob("*/*.git")):
            Mirror(self._command, directory, fetch_timeout=self._fetch_timeout).collect()
        return removed

    def _mirror(self, repository: str, commits: Sequence[str]) -> Mirror:
        if not _NAME.fullmatch(repository):
            raise ValueError(f"not a repository: {repository!r}")
        for commit in commits:
            if not _COMMIT.fullmatch(commit):
                raise ValueError(f"not a commit id: {commit!r}")
        path = self._mirrors / (repository.lower() + ".git")
        return Mirror(self._command, path, fetch_timeout=self._fetch_timeout)

    def _ask(self, repository: str, commits: Sequence[str], work: Callable[[Mirror], _Answer]) -> _Answer:
        """`work` on the mirror; once more after it was rebuilt, where damage was the reason to fail."""
        mirror = self._mirror(repository, commits)
        try:
            return work(mirror)
        except GitFailed as failure:
            absent = mirror.absent(commits)
            if absent and not (mirror.path.exists() and mirror.damaged(deep=False)):
                names = ", ".join(commit[:12] for commit in absent)
                raise UserError(
                    f"{repository} has no commit {names} here.", next_step="Plan again."
                ) from failure
            mirror.rebuild(self._remotes.get(repository.lower()), commits, failure)
            return work(mirror)


def _entries(listed: bytes) -> list[tuple[str, str, str]]:
    """Mode, object and path of each line of `ls-tree -z`."""
    entries = []
    for line in listed.split(b"\0")[:-1]:
        fields, _, name = line.partition(b"\t")
        mode, _, blob = fields.decode().split(" ")
        entries.append((mode, blob, os.fsdecode(name)))
    return entries
