"""One bare mirror: made, filled, asked, and rebuilt when it is damaged."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from bot.domain.ports.git import Remote
from bot.errors import GitUnavailable, UserError
from bot.git.command import Command, GitFailed
from bot.git.locks import exclusive
from bot.git.remote import explain, lacks_commit

_log = logging.getLogger(__name__)

# Above every .gitattributes of a repository: each file is exactly its blob, whatever the repository asks for.
_ATTRIBUTES = "* -text !eol -ident -filter !working-tree-encoding -diff -merge\n"
_KEPT = "refs/commits/"


class Mirror:
    """A bare repository at `path`. What was fetched once is kept by a ref of its own, `refs/commits/<commit>`.

    Commits are kept for good: a release may go back to one that its branch has long left.
    """

    def __init__(self, command: Command, path: Path, *, fetch_timeout: float) -> None:
        self.path = path
        self._command = command
        self._lock = path.with_name(path.name + ".lock")
        self._fetch_timeout = fetch_timeout

    def git(self, *arguments: str, stdin: bytes = b"", accept: Sequence[int] = (0,)) -> bytes:
        """Ask git. Raises GitFailed."""
        return self._command.run(self.path, *arguments, stdin=stdin, accept=accept)

    def missing(self, commits: Sequence[str]) -> list[str]:
        """Those of `commits` that are not kept here yet. Needs no network."""
        return self._without(commits, _KEPT)

    def absent(self, commits: Sequence[str]) -> list[str]:
        """Those of `commits` that are not here at all, kept or as another's ancestor. Needs no network."""
        return self._without(commits, "")

    def fetch(self, remote: Remote, commits: Sequence[str], refs: Sequence[str]) -> None:
        """Keep `commits` here. A damaged mirror is rebuilt once. Raises UserError and GitUnavailable."""
        if not self.missing(commits):
            return
        with exclusive(self._lock):
            missing = self.missing(commits)
            if not missing:
                return
            try:
                self._make()
                if not self._keep(missing):
                    self._fill(remote, missing, refs)
            except (GitFailed, GitUnavailable) as failure:
                if not self.damaged(deep=isinstance(failure, GitFailed)):
                    raise
                self._drop(failure)
                self._make()
                self._fill(remote, commits, refs)

    def advertised(self, remote: Remote, ref: str) -> bytes:
        """What the remote says of a ref: lines of commit, tab, name. Raises UserError and GitUnavailable."""
        try:
            return self._command.run(
                self.path, "ls-remote", "--", remote.url, ref, remote=remote, timeout=60.0
            )
        except GitFailed as failure:
            explain(remote, failure)
            raise

    def damaged(self, *, deep: bool = True) -> bool:
        """Whether the mirror itself is the matter after git failed on it: a ref without its commit, a bad object.

        deep: read every object, which takes as long as the repository is big.
        """
        try:
            kept = self.git("for-each-ref", "--format=%(refname)^{commit}", _KEPT)
            held = self.git("cat-file", "--batch-check", stdin=kept)
            if any(line.endswith(b" missing") for line in held.splitlines()):
                return True
            if deep:
                self._command.run(self.path, "fsck", "--no-dangling", "--no-progress", timeout=600.0)
        except GitFailed:
            return True
        return False

    def rebuild(self, remote: Remote | None, commits: Sequence[str], failure: GitFailed) -> None:
        """Throw a damaged mirror away and fetch `commits` anew; without a `remote`, the next fetch does that.

        Raises `failure` where the mirror is sound and lacks `commits`.
        """
        with exclusive(self._lock):
            if not self.damaged():
                if self.absent(commits):
                    raise failure
                return
            self._drop(failure)
        if remote is None:
            raise GitUnavailable(
                f"The mirror {self.path.name} was damaged and is fetched anew.", retry_after=1.0
            )
        self.fetch(remote, commits, ())

    def collect(self) -> None:
        """Pack what many fetches left (git decides whether it is worth it), remove what killed ones left."""
        if not (self.path / "HEAD").is_file():
            return
        with exclusive(self._lock):
            yesterday = time.time() - 86_400
            for file in (self.path / "objects" / "pack").glob("tmp_*"):
                if file.stat().st_mtime < yesterday:
                    file.unlink()
            config = {"gc.auto": "6700", "gc.autoPackLimit": "50", "gc.autoDetach": "false"}
            self._command.run(self.path, "gc", "--auto", "--quiet", config=config, timeout=1800.0)

    def _make(self) -> None:
        if (self.path / "HEAD").is_file() and (self.path / "info" / "attributes").is_file():
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._command.run(self.path, "init", "--quiet", "--bare", "--template=")
        (self.path / "info").mkdir(exist_ok=True)
        (self.path / "info" / "attributes").write_text(_ATTRIBUTES)

    def _fill(self, remote: Remote, commits: Sequence[str], refs: Sequence[str]) -> None:
        """By their ids first, which GitHub allows; else by the refs that should lead to them."""
        for wanted in (commits, *([ref] for ref in refs)):
            try:
                self._fetch(remote, wanted)
            except GitFailed as failure:
                if not lacks_commit(failure):
                    explain(remote, failure)
                    raise
            if self._keep(commits):
                return
        names = ", ".join(commit[:12] for commit in commits)
        raise UserError(
            f"{remote.repository} has no commit {names} (any more): its branch may have been rewritten or deleted.",
            next_step="Push again, or name another commit.",
        )

    def _fetch(self, remote: Remote, wanted: Sequence[str]) -> None:
        # No ref is written by git here: a fetch that outlives a killed worker cannot be in the next one's way.
        self._command.run(
            self.path,
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"),
            *("--no-recurse-submodules", "--no-show-forced-updates", "--", remote.url, *wanted),
            remote=remote,
            timeout=self._fetch_timeout,
        )

    def _keep(self, commits: Sequence[str]) -> bool:
        if self.absent(commits):
            return False
        self.git("update-ref", "--stdin", stdin="".join(f"update {_KEPT}{c} {c}\n" for c in commits).encode())
        return True

    def _without(self, commits: Sequence[str], prefix: str) -> list[str]:
        asked = "".join(f"{prefix}{commit}^{{commit}}\n" for commit in commits).encode()
        try:
            answers = self.git("cat-file", "--batch-check", stdin=asked).decode().splitlines()
        except GitFailed:
            return list(commits)
        return [
            commit
            for commit, answer in zip(commits, answers, strict=True)
            if not answer.startswith(f"{commit} commit")
        ]

    def _drop(self, failure: Exception) -> None:
        _log.warning("The mirror %s is damaged and is rebuilt from scratch: %s", self.path.name, failure)
        shutil.rmtree(self.path, ignore_errors=True)
