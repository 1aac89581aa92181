"""Implement the port `Git` with mirrors and worktrees in the data directory."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from cachetools import FIFOCache, LRUCache, cachedmethod

from bot.domain.ports.git import Remote
from bot.errors import UserError
from bot.git.command import Command, GitFailed
from bot.git.limits import MAX_PATHS, blob_too_large, comparison_limits, refuse_depth
from bot.git.mirror import Mirror
from bot.git.objects import Objects, parse_entry
from bot.git.remote import check
from bot.git.worktree import Worktree, recorded

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_NAME = re.compile(r"(?!\.{1,2}(?:/|$))[A-Za-z0-9._-]+/(?!\.{1,2}$)[A-Za-z0-9._-]+")
_SUBMODULE = "160000"
"""The mode of a submodule in a tree."""
_MAX_COMPARISONS = 256
"""Cached comparisons: the paths in which two commits differ never change, and each surface asks again."""
_MAX_FETCHED = 100_000
"""Commits that this process has fetched and does not look up again, which would take a process each time."""
_Answer = TypeVar("_Answer")


def _by_commits(_mirrors: Mirrors, repository: str, base: str, head: str) -> tuple[str, str, str]:
    return repository.lower(), base, head


class Mirrors:
    """Mirrors and worktrees under `data_dir`/git; safe for any number of threads and processes.

    environment: what git may see besides the fixed variables (PATH, proxies, certificates). allow_file: also fetch
    from `file://`, for tests. fetch_timeout: seconds for one fetch. max_paths: files and directories that a commit
    may have.

    Everything of a commit may be hostile, so listings are read within limits (bot/git/limits.py); what exceeds one raises
    Refusal, which names the limit.

    File names are decoded with `os.fsdecode`: bytes that are not UTF-8 become surrogates. Submodules are left out, LFS
    pointer files are left as they are, and attributes change no file: each is exactly its blob.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        executable: str = "git",
        environment: Mapping[str, str] | None = None,
        allow_file: bool = False,
        fetch_timeout: float = 600.0,
        max_paths: int = MAX_PATHS,
    ) -> None:
        protocols = ("http", "https", "ssh") + (("file",) if allow_file else ())
        self._command = Command(executable, dict(environment or {}), protocols)
        self._mirrors = data_dir.absolute() / "git" / "mirrors"
        self._records = data_dir.absolute() / "git" / "worktrees"
        self._fetch_timeout = fetch_timeout
        self._remotes: dict[str, Remote] = {}
        self._objects = Objects(max_paths)
        self._comparisons: LRUCache[tuple[str, str, str], list[str]] = LRUCache(_MAX_COMPARISONS)
        self._fetched: FIFOCache[tuple[str, str], None] = FIFOCache(_MAX_FETCHED)
        self._guard = threading.Lock()  # of both caches

    def fetch(self, remote: Remote, commits: Sequence[str], *, refs: Sequence[str] = ()) -> None:
        """Make `commits` readable: by id, else by `refs`. Uses no network if they already are.

        Raises UserError if the remote has no such commit or denies access, and GitUnavailable if it does not answer.
        """
        check(remote, self._command.protocols)
        for ref in refs:
            if not ref.startswith("refs/") or any(character in ref for character in ":*^~?[\\ "):
                raise ValueError(f"not a ref: {ref!r}")
        mirror, repository = self._mirror(remote.repository, commits), remote.repository.lower()
        self._remotes[repository] = remote
        with self._guard:
            missing = [
                commit for commit in dict.fromkeys(commits) if (repository, commit) not in self._fetched
            ]
        if missing:
            mirror.fetch(remote, missing, refs)
            with self._guard:
                self._fetched.update(((repository, commit), None) for commit in missing)

    def tip(self, remote: Remote, branch: str) -> str:
        """Return the commit a branch points to now. Raises UserError if there is no such branch, GitUnavailable."""
        check(remote, self._command.protocols)
        ref = f"refs/heads/{branch}"
        mirror = self._mirror(remote.repository, [])
        for line in mirror.advertised(remote, ref).decode().splitlines():
            commit, _, name = line.partition("\t")
            if name == ref:
                return commit
        raise UserError(f"{remote.repository} has no branch {branch}.", next_step="Use a branch that exists.")

    def read(self, repository: str, commit: str, path: str) -> bytes | None:
        """Return a file's bytes at a commit; None if there is none, or if it is a link, directory or submodule."""
        if not set(path.split("/")).isdisjoint(("", ".", "..")):
            return None
        cached = self._objects.cached_tree(repository, commit)

        def work(mirror: Mirror) -> bytes | None:
            if cached is None:
                listed = mirror.git("ls-tree", "-z", commit, "--", path).partition(b"\0")[0]
                mode, blob, _ = parse_entry(listed) if listed else ("", "", b"")
            else:
                mode, blob = cached.get(path, ("", ""))
            if not mode.startswith("100"):
                return None
            content = self._objects.blob(mirror, repository, blob)
            if content is None:
                raise blob_too_large(commit, path)
            return content

        return self._with_mirror(repository, [commit], work)

    def files(self, repository: str, commit: str, under: str = "") -> list[str]:
        """Return the paths of all files and links at a commit, below the directory `under`."""
        below = f"{under.strip('/')}/" if under.strip("/") else ""
        return [name for name in self.blobs(repository, commit) if name.startswith(below)]

    def blobs(self, repository: str, commit: str) -> dict[str, str]:
        """Return path → id of its blob, for all files and links at a commit."""
        tree = self._with_mirror(
            repository, [commit], lambda mirror: self._objects.tree(mirror, repository, commit)
        )
        return {name: blob for name, (mode, blob) in tree.items() if mode != _SUBMODULE}

    def changed(self, repository: str, base: str, head: str) -> list[str]:
        """Return the paths that differ between the merge base and `head`; a rename counts as both paths."""
        return list(self._compare(repository, base, head))

    @cachedmethod(lambda self: self._comparisons, _by_commits, lambda self: self._guard)
    def _compare(self, repository: str, base: str, head: str) -> list[str]:
        start = self.merge_base(repository, base, head)
        options = ("-r", "-z", "--name-only", "--no-renames", "--no-ext-diff")

        def work(mirror: Mirror) -> list[str]:
            self._objects.tree(
                mirror, repository, head
            )  # within its limits, so that git compares no more than that
            limits, names = comparison_limits(base, head), []
            for name in mirror.records("diff-tree", *options, start, head):
                limits.check(name)
                names.append(os.fsdecode(name))
            return names

        return self._with_mirror(repository, [start, head], work)

    def merge_base(self, repository: str, base: str, head: str) -> str:
        """Return the merge base of two commits. Raises UserError if they have no common history."""
        commit = self._with_mirror(
            repository, [base, head], lambda mirror: mirror.git("merge-base", base, head, accept=(0, 1))
        )
        if not commit:
            raise UserError(
                f"{head[:12]} and {base[:12]} of {repository} have no common history.",
                next_step="Rebase the branch onto the default branch.",
            )
        return commit.decode().strip()

    def is_ancestor(self, repository: str, ancestor: str, commit: str) -> bool:
        """Whether `commit` contains `ancestor`; a commit contains itself."""
        count = self._with_mirror(
            repository,
            [ancestor, commit],
            lambda mirror: mirror.git("rev-list", "--count", "--max-count=1", ancestor, f"^{commit}"),
        )
        return count.strip() == b"0"

    def commits(self, repository: str, base: str, head: str, most: int) -> list[str]:
        """Return the newest `most` commits that `head` contains and `base` does not, including merges, newest first."""
        options = (f"--max-count={most}", head, f"^{base}")
        listing = self._with_mirror(repository, [base, head], lambda mirror: mirror.git("rev-list", *options))
        return listing.decode().split()

    def checkout(self, repository: str, commit: str, path: Path) -> str:
        """Check out `commit` at exactly `path`; return the tree id.

        In an existing worktree tracked files are restored and all others removed, except for what Worktree keeps
        (Terraform's `.terraform/` and lock file, our override file and `.towpath/`). Raises FileExistsError if `path`
        has files in it and is not a worktree.
        """
        worktree = self._worktree(path)

        def work(mirror: Mirror) -> str:
            worktree.checkout(mirror.path, commit, self._objects.tree(mirror, repository, commit))
            return self._objects.tree_id(mirror, repository, commit)

        return self._with_mirror(repository, [commit], work)

    def move(self, path: Path, to: Path) -> bool:
        """Turn an unused worktree into the one at `to`, so that its next checkout writes only what differs.

        Returns False if `path` is not a worktree, or if `to` exists.
        """
        return self._worktree(path).move(self._worktree(to))

    def remove(self, path: Path) -> None:
        """Remove a worktree, if there is one."""
        self._worktree(path).remove()

    def collect(self, keep: Collection[Path], *, older_than: timedelta) -> list[Path]:
        """Remove old worktrees, and let git repack the mirrors; return the removed paths. Call it about once a day.

        A worktree is removed if it is not in `keep` and its last checkout is older than `older_than`.
        """
        kept = {Path(os.path.abspath(path)) for path in keep}  # noqa: PTH100 - as Worktree does
        before = time.time() - older_than.total_seconds()
        removed = []
        for path in recorded(self._records):
            worktree = self._worktree(path)
            if path not in kept and worktree.checked_out_at < before:
                worktree.remove()
                removed.append(path)
        for directory in sorted(self._mirrors.glob("*/*.git")):
            Mirror(self._command, directory, fetch_timeout=self._fetch_timeout).collect()
        return removed

    def _worktree(self, path: Path) -> Worktree:
        return Worktree(self._command, self._records, path)

    def _mirror(self, repository: str, commits: Sequence[str]) -> Mirror:
        if not _NAME.fullmatch(repository):
            raise ValueError(f"not a repository: {repository!r}")
        for commit in commits:
            if not _COMMIT.fullmatch(commit):
                raise ValueError(f"not a commit id: {commit!r}")
        path = self._mirrors / (repository.lower() + ".git")
        return Mirror(self._command, path, fetch_timeout=self._fetch_timeout)

    def _with_mirror(
        self, repository: str, commits: Sequence[str], work: Callable[[Mirror], _Answer]
    ) -> _Answer:
        """Return `work` of the mirror, after rebuilding the mirror if `work` failed because it is damaged."""
        mirror = self._mirror(repository, commits)
        try:
            return work(mirror)
        except GitFailed as failure:
            refuse_depth(f"`{commits[-1][:7]}`" if commits else repository, failure)
            self._forget_fetched(repository)
            absent = mirror.absent(commits)
            if absent and not (mirror.path.exists() and mirror.damaged(deep=False)):
                names = ", ".join(commit[:12] for commit in absent)
                raise UserError(
                    f"The bot's copy of {repository} has no commit {names}.",
                    next_step="Run `/plan` again.",
                ) from failure
            mirror.rebuild(self._remotes.get(repository.lower()), commits, failure)
            return work(mirror)

    def _forget_fetched(self, repository: str) -> None:
        """Forget what was fetched of a repository: a rebuilt mirror has only what was asked for then."""
        with self._guard:
            for key in [key for key in self._fetched if key[0] == repository.lower()]:
                del self._fetched[key]
