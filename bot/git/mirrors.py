"""Fulfils the port `Git`."""

from __future__ import annotations

import os
import re
import threading
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
from bot.git.worktree import Tree, Worktree, recorded

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_NAME = re.compile(r"(?!\.{1,2}(?:/|$))[A-Za-z0-9._-]+/(?!\.{1,2}$)[A-Za-z0-9._-]+")
_REMEMBERED = 100_000
"""Paths of all commits together whose contents' ids are remembered: some 20 MB."""
_SMALL = 16 * 1024
"""Bytes of a file's content that is remembered: a configuration is read for each commit again, and each look costs two
processes of git's."""
_CONTENTS = 1024
"""Such files: 16 MB at most."""
_Answer = TypeVar("_Answer")
_KNOWN = 256
"""Comparisons, and commits' tree ids, that are remembered: two commits differ by the same paths for ever, and each
surface asks again."""


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
        self._trees: dict[tuple[str, str], Tree] = {}
        self._tree_ids: dict[tuple[str, str], str] = {}
        self._contents: dict[tuple[str, str], bytes] = {}
        self._lock = threading.Lock()
        self._changed: dict[tuple[str, str, str], list[str]] = {}

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

        if not set(path.split("/")).isdisjoint(("", ".", "..")):
            return None
        with self._lock:
            tree = self._trees.get((repository.lower(), commit))

        def work(mirror: Mirror) -> bytes | None:
            known = _tree(mirror.git("ls-tree", "-z", commit, "--", path)) if tree is None else tree
            mode, blob = known.get(path, ("", ""))
            return self._content(mirror, repository, blob) if mode.startswith("100") else None

        return self._ask(repository, [commit], work)

    def _content(self, mirror: Mirror, repository: str, blob: str) -> bytes:
        """A blob, which never changes: the small ones are remembered."""
        key = repository.lower(), blob
        with self._lock:
            known = self._contents.get(key)
        if known is not None:
            return known
        content = mirror.git("cat-file", "blob", blob)
        if len(content) <= _SMALL:
            with self._lock:
                self._contents[key] = content
                while len(self._contents) > _CONTENTS:
                    del self._contents[next(iter(self._contents))]
        return content

    def files(self, repository: str, commit: str, under: str = "") -> list[str]:
        """Paths of all files and links at a commit, below the directory `under`."""
        below = ["--", under.strip("/")] if under.strip("/") else []
        listed = self._ask(
            repository, [commit], lambda mirror: mirror.git("ls-tree", "-r", "-z", commit, *below)
        )
        return [name for kind, _, name in _entries(listed) if not kind.startswith("160000")]

    def blobs(self, repository: str, commit: str) -> dict[str, str]:
        """Path → git's id of its content, for all files and links at a commit. The newest ones are remembered, as a
        commit never changes."""
        known = self._ask(repository, [commit], lambda mirror: self._tree(mirror, repository, commit))
        return {name: blob for name, (mode, blob) in known.items() if mode != "160000"}

    def _tree(self, mirror: Mirror, repository: str, commit: str) -> Tree:
        """All of a commit; the newest ones are remembered."""
        key = repository.lower(), commit
        with self._lock:
            known = self._trees.pop(key, None)
        if known is None:
            known = _tree(mirror.git("ls-tree", "-r", "-z", commit))
        with self._lock:
            self._trees[key] = known
            while len(self._trees) > 1 and sum(map(len, self._trees.values())) > _REMEMBERED:
                del self._trees[next(iter(self._trees))]
        return known

    def changed(self, repository: str, base: str, head: str) -> list[str]:
        """Paths that differ between the merge base of both and `head`; a rename gives both names."""
        key = (repository.lower(), base, head)
        paths = self._changed.get(key)
        if paths is None:
            paths = self._compared(repository, base, head)
            if len(self._changed) >= _KNOWN:
                self._changed.clear()
            self._changed[key] = paths
        return list(paths)

    def _compared(self, repository: str, base: str, head: str) -> list[str]:
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

    def commits(self, repository: str, base: str, head: str, most: int) -> list[str]:
        """What `head` has and `base` has not, merges among it; newest first, `most` at most."""
        options = (f"--max-count={most}", head, f"^{base}")
        listed = self._ask(repository, [base, head], lambda mirror: mirror.git("rev-list", *options))
        return listed.decode().split()

    def checkout(self, repository: str, commit: str, path: Path) -> str:
        """A clean worktree of `commit` at exactly `path`; returns the tree id.

        An existing one is put back: tracked files byte for byte, others removed but for what `worktree` keeps
        (Terraform's own `.terraform/` and lock file, our override and `.towpath/`). Raises FileExistsError where
        `path` has files in it and was no worktree.
        """
        worktree = Worktree(self._command, self._records, path)

        def work(mirror: Mirror) -> str:
            worktree.checkout(mirror.path, commit, self._tree(mirror, repository, commit))
            return self._tree_id(mirror, repository, commit)

        return self._ask(repository, [commit], work)

    def _tree_id(self, mirror: Mirror, repository: str, commit: str) -> str:
        key = repository.lower(), commit
        known = self._tree_ids.get(key)
        if known is None:
            known = mirror.git("rev-parse", f"{commit}^{{tree}}").decode().strip()
            if len(self._tree_ids) >= _KNOWN:
                self._tree_ids.clear()
            self._tree_ids[key] = known
        return known

    def move(self, path: Path, to: Path) -> bool:
        """Let a worktree that nobody needs any more become `to`: its checkout writes only what differs then. False
        where `path` is no worktree, or `to` is there already."""
        return Worktree(self._command, self._records, path).move(Worktree(self._command, self._records, to))

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


def _tree(listed: bytes) -> Tree:
    """Path → mode and object, of each line of `ls-tree -z`."""
    return {name: (kind, blob) for kind, blob, name in _entries(listed)}
