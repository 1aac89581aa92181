"""One worktree: a commit's files at exactly one path, with nothing of git's own among them."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

from bot.git.command import Command, GitFailed
from bot.git.locks import exclusive

KEPT_DIRECTORIES = frozenset({".terraform", ".towpath"})
"""Untracked directories, at any depth, that stay when a worktree is put back."""
KEPT_FILES = frozenset({".terraform.lock.hcl", "zz_towpath_override.tf"})
"""Untracked files, at any depth, that stay when a worktree is put back."""

Tree = Mapping[str, tuple[str, str]]
"""Path → git's mode (six octal digits) and object, of everything that a commit has, submodules among it."""


class Worktree:
    """The worktree at `path`. Its index, and the note that it is one, are under `records`, out of Terraform's reach.

    Guarded: git itself writes the files, and refuses `..`, `.git` and writing through a symbolic link; attributes
    start no program and change no byte; submodules stay empty directories and LFS pointers stay pointers; a symbolic
    link that leads out of the tree is written as a plain file that holds where it would lead.
    """

    def __init__(self, command: Command, records: Path, path: Path) -> None:
        self.path = Path(os.path.abspath(path))  # noqa: PTH100 - not resolve(): the path itself must not be a link
        name = sha256(os.fsencode(self.path)).hexdigest()[:32]
        self._command = command
        self._record = records / name
        self._lock = records / "locks" / name[:2]

    @property
    def touched(self) -> float:
        """When it was last checked out, in seconds since the epoch; 0 where it never was."""
        index = self._record / "index"
        return index.stat().st_mtime if index.is_file() else 0.0

    def checkout(self, mirror: Path, commit: str, tree: Tree) -> None:
        """Put `commit`, whose tree is `tree`, here. Raises GitFailed, and FileExistsError where `path` is not ours."""
        with exclusive(self._lock):
            self._claim()
            try:
                self._write(mirror, commit, tree)
            except GitFailed as failure:
                if "index file" not in failure.message:
                    raise
                (self._record / "index").unlink()
                self._write(mirror, commit, tree)

    def move(self, to: Worktree) -> bool:
        """Become `to`: the next checkout there writes only what differs, and keeps nothing that is untracked.

        False, and nothing happens, where this is no worktree or `to` is one already. A crash halfway leaves two
        worktrees that can be put back or removed.
        """
        with ExitStack() as held:
            for lock in sorted({self._lock, to._lock}):
                held.enter_context(exclusive(lock))
            if not (self._record / "index").is_file() or not self.path.is_dir() or to._record.exists():
                return False
            if to.path.is_symlink() or to.path.exists():
                return False
            to._claim()
            (to._record / "moved").touch()
            (self._record / "index").rename(to._record / "index")
            self.path.rename(to.path)
            _delete(self._record)
            return True

    def remove(self) -> None:
        """Remove it; nothing happens where there is none, or where the path never was one."""
        with exclusive(self._lock):
            if self._record.is_dir():
                _delete(self.path)
                _delete(self._record)

    def _claim(self) -> None:
        if not self._record.is_dir():
            if self.path.is_symlink() or (self.path.exists() and any(self.path.iterdir())):
                raise FileExistsError(f"{self.path} has files in it and is no worktree")
            self._record.mkdir(parents=True)
            (self._record / "path").write_bytes(os.fsencode(self.path))
        (self._record / "index.lock").unlink(missing_ok=True)  # left by a git that was killed
        if self.path.is_symlink() or self.path.is_file():
            self.path.unlink()
        self.path.mkdir(parents=True, exist_ok=True)

    def _write(self, mirror: Path, commit: str, tree: Tree) -> None:
        self._git(mirror, "read-tree", "--reset", "-u", commit)
        submodules = [name for name, (mode, _) in tree.items() if mode == "160000"]
        links = [name for name, (mode, _) in tree.items() if mode == "120000"]
        moved = self._record / "moved"
        _clean(self.path, set(tree), submodules, keep=not moved.exists())
        moved.unlink(missing_ok=True)
        _tame(self.path, links)

    def _git(self, mirror: Path, *arguments: str) -> bytes:
        variables = {"GIT_WORK_TREE": str(self.path), "GIT_INDEX_FILE": str(self._record / "index")}
        return self._command.run(mirror, *arguments, variables=variables, cwd=self.path)


def recorded(records: Path) -> list[Path]:
    """The paths of all worktrees that are recorded under `records`."""
    return [Path(os.fsdecode(note.read_bytes())) for note in sorted(records.glob("*/path"))]


def _clean(root: Path, tracked: set[str], submodules: list[str], *, keep: bool) -> None:
    """Remove what is not tracked and not to be kept (`keep`: see KEPT_DIRECTORIES and KEPT_FILES). Follows no link."""
    directories = set(submodules)
    for name in tracked:
        while (name := name.rpartition("/")[0]) and name not in directories:
            directories.add(name)

    def walk(directory: str, prefix: str) -> None:
        for entry in list(os.scandir(directory)):
            name = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                if keep and entry.name in KEPT_DIRECTORIES:
                    continue
                if name in directories:
                    walk(entry.path, name + "/")
                else:
                    _delete(Path(entry.path))
            elif name not in tracked and not (
                keep and entry.name in KEPT_FILES and entry.is_file(follow_symlinks=False)
            ):
                Path(entry.path).unlink()

    walk(str(root), "")


def _tame(root: Path, links: list[str]) -> None:
    """Write links that lead out of the tree as plain files."""
    top = os.path.realpath(root)
    leaving = [root / name for name in links if not _within(top, os.path.realpath(root / name))]
    for link in leaving:
        leads_to = os.fsencode(link.readlink())
        link.unlink()
        link.write_bytes(leads_to)


def _within(top: str, path: str) -> bool:
    return path == top or path.startswith(top + os.sep)


def _delete(path: Path) -> None:
    """Remove a file or a directory with all in it, also where Terraform left directories that cannot be written."""
    if path.is_symlink() or path.is_file():
        path.unlink()
        return
    if not path.exists():
        return
    try:
        shutil.rmtree(path)
    except PermissionError:
        for directory, _, _ in os.walk(path):
            Path(directory).chmod(stat.S_IRWXU)
        shutil.rmtree(path)
