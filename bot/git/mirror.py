"""One bare mirror: created, fetched into, read, and rebuilt if it is damaged."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from bot.domain.ports.git import Remote
from bot.errors import GitUnavailable, UserError
from bot.filesystem import remove_tree
from bot.git.command import Command, GitFailed
from bot.git.limits import refuse_depth
from bot.git.locks import exclusive
from bot.git.remote import lacks_commit, raise_remote_error

_log = logging.getLogger(__name__)

# Overrides a repository's .gitattributes: every file is checked out exactly as its blob.
_ATTRIBUTES = "* -text !eol -ident -filter !working-tree-encoding -diff -merge\n"
_PINS = "refs/commits/"
_CHUNK = 64 * 1024
_MAX_RECORD = 1024 * 1024
"""Bytes of a listing without a separator, which no path within the limits has."""


class Mirror:
    """A bare repository at `path`. Each fetched commit is pinned by a ref of its own, `refs/commits/<commit>`.

    Pins are never removed: a revert may need a commit that is on no branch any more.
    """

    def __init__(self, command: Command, path: Path, *, fetch_timeout: float) -> None:
        self.path = path
        self._command = command
        self._lock = path.with_name(path.name + ".lock")
        self._fetch_timeout = fetch_timeout

    def git(self, *arguments: str, stdin: bytes = b"", accept: Sequence[int] = (0,)) -> bytes:
        """Run git on the mirror; return its output. Raises GitFailed."""
        return self._command.run(self.path, *arguments, stdin=stdin, accept=accept)

    def records(self, *arguments: str) -> Iterator[bytes]:
        """Yield what git lists with `-z`, while git lists it. Raises GitFailed."""
        rest = b""
        with self._command.output(self.path, *arguments) as output:
            while chunk := output.read(_CHUNK):
                *records, rest = (rest + chunk).split(b"\0")
                yield from records
                if len(rest) > _MAX_RECORD:
                    yield rest  # a path that exceeds every limit

    def start_of(self, blob: str, most: int) -> bytes:
        """Return at most `most` bytes of a blob. Raises GitFailed."""
        with self._command.output(self.path, "cat-file", "blob", blob) as output:
            content = output.read(most)
            while output.read(_CHUNK):
                continue
        return content

    def unpinned(self, commits: Sequence[str]) -> list[str]:
        """Return those of `commits` that are not pinned here. Needs no network."""
        return self._missing(commits, _PINS)

    def absent(self, commits: Sequence[str]) -> list[str]:
        """Return those of `commits` that are not in the mirror, not even as an ancestor. Needs no network."""
        return self._missing(commits, "")

    def fetch(self, remote: Remote, commits: Sequence[str], refs: Sequence[str]) -> None:
        """Fetch and pin `commits`, rebuilding a damaged mirror once. Raises UserError and GitUnavailable."""
        if not self.unpinned(commits):
            return
        with exclusive(self._lock):
            unpinned = self.unpinned(commits)
            if not unpinned:
                return
            try:
                self._create()
                if not self._pin(unpinned):
                    self._fetch_any(remote, unpinned, refs)
            except (GitFailed, GitUnavailable) as failure:
                if not self.damaged(deep=isinstance(failure, GitFailed)):
                    raise
                self._discard(failure)
                self._create()
                self._fetch_any(remote, commits, refs)

    def advertised(self, remote: Remote, ref: str) -> bytes:
        """Return the remote's `ls-remote` of a ref: lines of commit, tab, name. Raises UserError and GitUnavailable."""
        try:
            return self._command.contact(self.path, remote, "ls-remote", "--", remote.url, ref, timeout=60.0)
        except GitFailed as failure:
            raise_remote_error(remote, failure)
            raise

    def damaged(self, *, deep: bool = True) -> bool:
        """Whether the mirror is damaged: a pin without its commit, or an invalid object.

        deep: read every object, which takes long in a large repository.
        """
        try:
            pins = self.git("for-each-ref", "--format=%(refname)^{commit}", _PINS)
            found = self.git("cat-file", "--batch-check", stdin=pins)
            if any(line.endswith(b" missing") for line in found.splitlines()):
                return True
            if deep:
                self._command.run(self.path, "fsck", "--no-dangling", "--no-progress", timeout=600.0)
        except GitFailed:
            return True
        return False

    def rebuild(self, remote: Remote | None, commits: Sequence[str], failure: GitFailed) -> None:
        """Discard a damaged mirror and fetch `commits` again; without a `remote`, the next fetch does that.

        Raises `failure` if the mirror is intact and lacks `commits`.
        """
        with exclusive(self._lock):
            if not self.damaged():
                if self.absent(commits):
                    raise failure
                return
            self._discard(failure)
        if remote is None:
            raise GitUnavailable(
                f"The mirror {self.path.name} was damaged and has to be fetched again.", retry_after=1.0
            )
        self.fetch(remote, commits, ())

    def collect(self) -> None:
        """Let git repack the mirror if that is worthwhile, and remove what killed fetches left."""
        if not (self.path / "HEAD").is_file():
            return
        with exclusive(self._lock):
            yesterday = time.time() - 86_400
            for file in (self.path / "objects" / "pack").glob("tmp_*"):
                if file.stat().st_mtime < yesterday:
                    file.unlink()
            config = {"gc.auto": "6700", "gc.autoPackLimit": "50", "gc.autoDetach": "false"}
            replace(self._command, config=config).run(self.path, "gc", "--auto", "--quiet", timeout=1800.0)

    def _create(self) -> None:
        if (self.path / "HEAD").is_file() and (self.path / "info" / "attributes").is_file():
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._command.run(self.path, "init", "--quiet", "--bare", "--template=")
        (self.path / "info").mkdir(exist_ok=True)
        (self.path / "info" / "attributes").write_text(_ATTRIBUTES)

    def _fetch_any(self, remote: Remote, commits: Sequence[str], refs: Sequence[str]) -> None:
        """Fetch and pin `commits`: by id, which GitHub allows, else by each of `refs` in turn."""
        for refspecs in (commits, *([ref] for ref in refs)):
            try:
                self._fetch(remote, refspecs)
            except GitFailed as failure:
                refuse_depth(f"`{commits[-1][:7]}`", failure)
                if not lacks_commit(failure):
                    raise_remote_error(remote, failure)
                    raise
            if self._pin(commits):
                return
        names = ", ".join(commit[:12] for commit in commits)
        raise UserError(
            f"{remote.repository} has no commit {names}: its branch may have been rewritten or deleted.",
            next_step="Push again, or use another commit.",
        )

    def _fetch(self, remote: Remote, refspecs: Sequence[str]) -> None:
        # Without a destination git writes no ref, so a fetch that outlives a killed worker cannot block the next one.
        self._command.contact(
            self.path,
            remote,
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"),
            *("--no-recurse-submodules", "--no-show-forced-updates", "--", remote.url, *refspecs),
            timeout=self._fetch_timeout,
        )

    def _pin(self, commits: Sequence[str]) -> bool:
        """Pin `commits`; return False if one is absent."""
        if self.absent(commits):
            return False
        self.git("update-ref", "--stdin", stdin="".join(f"update {_PINS}{c} {c}\n" for c in commits).encode())
        return True

    def _missing(self, commits: Sequence[str], prefix: str) -> list[str]:
        names = "".join(f"{prefix}{commit}^{{commit}}\n" for commit in commits).encode()
        try:
            answers = self.git("cat-file", "--batch-check", stdin=names).decode().splitlines()
        except GitFailed:
            return list(commits)
        return [
            commit
            for commit, answer in zip(commits, answers, strict=True)
            if not answer.startswith(f"{commit} commit")
        ]

    def _discard(self, failure: Exception) -> None:
        _log.warning("The mirror %s is damaged and is rebuilt from scratch: %s", self.path.name, failure)
        with suppress(OSError):
            remove_tree(self.path)
