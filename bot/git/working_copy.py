"""The repository that a person works in, read with their own git. Nothing is written to it but a line in `info/exclude`."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.errors import UserError
from bot.filesystem import remove_tree

_NAME = re.compile(r"[:/]([^/:]+)/([^/:]+?)(?:\.git)?/?$")
_SCP = re.compile(r"(?:ssh://)?(?:[^@/]+@)([^/:]+)(?::\d+/|[:/])(.+)")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_AUTHOR = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "towpath"), ("EMAIL", "towpath@localhost"))
}
_ELSEWHERE = frozenset(["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY"])
TIMEOUT = 120.0
"""Seconds for one git command."""


@dataclass(frozen=True)
class DefaultBranch:
    """The default branch as this clone knows it. ref: where its commit was read, such as `origin/main`."""

    name: str
    ref: str
    commit: str


@dataclass(frozen=True)
class WorkingCopy:
    """A clone with checked-out files. environment: the person's own, for their git configuration."""

    top: Path
    environment: Mapping[str, str]

    @property
    def repository(self) -> str:
        """`owner/name` by the address of `origin`; `local/<directory>` without one."""
        found = _NAME.search(self._try("remote", "get-url", "origin"))
        owner, name = found.groups() if found else ("local", self.top.name)
        return f"{_UNSAFE.sub('-', owner)}/{_UNSAFE.sub('-', name)}".lower()

    @property
    def clone_url(self) -> str:
        """The https address of `origin`, "" if it has none."""
        url = self._try("remote", "get-url", "origin")
        if url.startswith(("http://", "https://")):
            return re.sub(r"//[^/@]*@", "//", url)
        found = _SCP.fullmatch(url)
        return f"https://{found[1]}/{found[2]}" if found else ""

    @property
    def head(self) -> str:
        """The checked-out commit. Raises UserError if there is none yet."""
        if commit := self._try("rev-parse", "--verify", "--quiet", "HEAD^{commit}"):
            return commit
        raise UserError(f"{self.top} has no commit yet.", next_step="Run `git add . && git commit`.")

    @property
    def branch(self) -> str:
        """The checked-out branch, "" where a commit is checked out."""
        return self._try("symbolic-ref", "--quiet", "--short", "HEAD")

    def changed(self) -> list[str]:
        """Return the paths that differ from HEAD or are not in it, without those that git ignores."""
        listing = self._git("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all")
        return [entry[3:] for entry in listing.split("\0") if entry]

    def ignored(self, path: str) -> bool:
        """Whether git ignores this path."""
        done = self._run(("check-ignore", "--quiet", "--", path), self.environment)
        return done.returncode == 0

    def default_branch(self) -> DefaultBranch:
        """Return the default branch: of `origin` as last fetched, else `main` or `master` here.

        Raises UserError if none of them exists.
        """
        remote = self._try("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
        for ref in filter(None, (remote, "origin/main", "origin/master", "main", "master")):
            space = "remotes" if ref.startswith("origin/") else "heads"
            if commit := self._try("rev-parse", "--verify", "--quiet", f"refs/{space}/{ref}^{{commit}}"):
                return DefaultBranch(ref.removeprefix("origin/"), ref, commit)
        raise UserError(
            "This clone does not know the repository's default branch, which has the policy.",
            next_step="Run `git remote set-head origin --auto`, or name the branch `main`.",
        )

    def read(self, commit: str, path: str) -> str | None:
        """Return a file at a commit, None if there is none."""
        done = self._run(("cat-file", "blob", f"{commit}:{path}"), self.environment)
        return done.stdout.decode(errors="replace") if done.returncode == 0 else None

    def exclude(self, name: str) -> None:
        """Have git ignore a directory at the top, in this clone only."""
        path = self.top / self._git("rev-parse", "--git-path", "info/exclude")
        line, text = f"/{name}/", path.read_text() if path.is_file() else ""
        if line not in text.splitlines():
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"{text}{'' if not text or text.endswith(chr(10)) else chr(10)}{line}\n")

    def publish(self, bare: Path, default: DefaultBranch, *, uncommitted: bool) -> str:
        """Make a bare repository from which HEAD and the default branch can be fetched; return the commit of the files.

        uncommitted: the files as they are on disk, without those that git ignores, instead of HEAD's. Their commit exists
        only in `bare`, which borrows all other objects from the clone.
        """
        if bare.exists():
            remove_tree(bare)
        self._git("init", "--quiet", "--bare", "--template=", str(bare))
        objects = (self.top / self._git("rev-parse", "--git-path", "objects")).resolve()
        (bare / "objects" / "info").mkdir(exist_ok=True)
        (bare / "objects" / "info" / "alternates").write_text(f"{objects}\n")
        shallow = self.top / self._git("rev-parse", "--git-path", "shallow")
        if shallow.is_file():
            shutil.copy(shallow, bare / "shallow")
        commit = self._snapshot(bare, objects) if uncommitted else self.head
        ours = {**self.environment, "GIT_DIR": str(bare)}
        for ref, there in ((f"refs/heads/{default.name}", default.commit), ("refs/towpath/head", commit)):
            self._git("update-ref", ref, there, env=ours)
        self._git("config", "uploadpack.allowAnySHA1InWant", "true", env=ours)
        return commit

    def _snapshot(self, bare: Path, objects: Path) -> str:
        """Return a commit with the files on disk: HEAD if they are HEAD's."""
        index = self.top / self._git("rev-parse", "--git-path", "index")
        if index.is_file():
            shutil.copy(index, bare / "snapshot")  # so that only what changed is read
        ours = {
            **self.environment,
            **_AUTHOR,
            "GIT_INDEX_FILE": str(bare / "snapshot"),
            "GIT_OBJECT_DIRECTORY": str(bare / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects),
        }
        self._git("add", "--all", env=ours)
        tree = self._git("write-tree", env=ours)
        if tree == self._git("rev-parse", "HEAD^{tree}"):
            return self.head
        return self._git("commit-tree", tree, "-p", self.head, "-m", "The working copy", env=ours)

    def _git(self, *words: str, env: Mapping[str, str] | None = None) -> str:
        """Return what git printed. Raises UserError."""
        done = self._run(words, env or self.environment)
        if done.returncode:
            reason = done.stderr.decode(errors="replace").strip()[-500:]
            raise UserError(f"`git {words[0]}` failed in {self.top}: {reason}")
        return done.stdout.decode(errors="surrogateescape").strip("\n")

    def _try(self, *words: str) -> str:
        """Return what git printed, "" if it failed."""
        done = self._run(words, self.environment)
        return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else ""

    def _run(self, words: tuple[str, ...], env: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["git", *words], cwd=self.top, env=dict(env), capture_output=True, timeout=TIMEOUT, check=False
        )


def find_working_copy(directory: Path, environment: Mapping[str, str]) -> WorkingCopy:
    """Return the clone that a directory is in. Raises UserError if it is in none, or there is no git.

    Variables that lead git elsewhere, which a hook of git's has, are left out of its environment.
    """
    ours = {name: value for name, value in environment.items() if name not in _ELSEWHERE}
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--show-toplevel"],
            cwd=directory,
            env=ours,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    except FileNotFoundError:
        raise UserError("git is not on PATH.", next_step="Install git.") from None
    if done.returncode or not done.stdout.strip():
        raise UserError(
            f"{directory} is not in a git repository.",
            next_step="Run `cd` into a clone of the repository that has `envs/environments.toml`.",
        )
    return WorkingCopy(Path(done.stdout.strip()), ours)
