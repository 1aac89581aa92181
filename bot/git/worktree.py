"""One worktree: a commit's files at a fixed path, without any file of git's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

from bot.filesystem import remove_tree
from bot.git.command import Command, GitFailed, WorkTree
from bot.git.locks import exclusive

KEPT_DIRECTORIES = frozenset({".terraform", ".towpath"})
"""Untracked directories, at any depth, that a checkout keeps."""
KEPT_FILES = frozenset({".terraform.lock.hcl", "zz_towpath_override.tf"})
"""Untracked files, at any depth, that a checkout keeps."""

Tree = Mapping[str, tuple[str, str]]
"""Path → git's mode (six octal digits) and object, for everything in a commit, including submodules."""


class Worktree:
    """The worktree at `path`. Its index and its record are under `records`, where Terraform cannot reach them.

    Hostile repositories: git itself writes the files, and refuses `..`, `.git` and writing through a symbolic link.
    Attributes start no program and change no byte. Submodules stay empty directories, and LFS pointers stay pointers.
    A symbolic link that leads out of the tree is written as a plain file with its target.
    """

    def __init__(self, command: Command, records: Path, path: Path) -> None:
        self.path = Path(os.path.abspath(path))  # noqa: PTH100 - not resolve(): the path itself must not be a link
        name = sha256(os.fsencode(self.path)).hexdigest()[:32]
        self._command = command
        self._record = records / name
        self._lock = records / "locks" / name[:2]

    @property
    def checked_out_at(self) -> float:
        """When it was last checked out, in seconds since the epoch; 0 if never."""
        index = self._record / "index"
        return index.stat().st_mtime if index.is_file() else 0.0

    def checkout(self, mirror: Path, commit: str, tree: Tree) -> None:
        """Check out `commit`, whose tree is `tree`. Raises GitFailed, and FileExistsError if `path` is not a worktree."""
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
        """Turn this worktree into `to`: the next checkout there writes only what differs, and keeps nothing untracked.

        Returns False, changing nothing, if this is not a worktree or `to` exists. After a crash halfway both can still
        be checked out or removed.
        """
        with ExitStack() as locks:
            for lock in sorted({self._lock, to._lock}):
                locks.enter_context(exclusive(lock))
            if not (self._record / "index").is_file() or not self.path.is_dir() or to._record.exists():
                return False
            if to.path.is_symlink() or to.path.exists():
                return False
            to._claim()
            (to._record / "moved").touch()
            (self._record / "index").rename(to._record / "index")
            self.path.rename(to.path)
            remove_tree(self._record)
            return True

    def remove(self) -> None:
        """Remove it, if there is one; other files at the path are left alone."""
        with exclusive(self._lock):
            if self._record.is_dir():
                remove_tree(self.path)
                remove_tree(self._record)

    def _claim(self) -> None:
        if not self._record.is_dir():
            if self.path.is_symlink() or (self.path.exists() and any(self.path.iterdir())):
                raise FileExistsError(f"{self.path} has files in it and is not a worktree")
            self._record.mkdir(parents=True)
            (self._record / "path").write_bytes(os.fsencode(self.path))
        (self._record / "index.lock").unlink(missing_ok=True)  # left by a git that was killed
        if self.path.is_symlink() or self.path.is_file():
            self.path.unlink()
        self.path.mkdir(parents=True, exist_ok=True)

    def _write(self, mirror: Path, commit: str, tree: Tree) -> None:
        work_tree = WorkTree(self.path, self._record / "index")
        self._command.run(mirror, "read-tree", "--reset", "-u", commit, work_tree=work_tree)
        submodules = [name for name, (mode, _) in tree.items() if mode == "160000"]
        links = [name for name, (mode, _) in tree.items() if mode == "120000"]
        moved = self._record / "moved"
        _remove_untracked(self.path, set(tree), submodules, keep=not moved.exists())
        moved.unlink(missing_ok=True)
        _replace_leaving_links(self.path, links)


def recorded(records: Path) -> list[Path]:
    """Return the paths of all worktrees recorded under `records`."""
    return [Path(os.fsdecode(note.read_bytes())) for note in sorted(records.glob("*/path"))]


def _remove_untracked(root: Path, tracked: set[str], submodules: list[str], *, keep: bool) -> None:
    """Remove untracked files, without following links. keep: except KEPT_DIRECTORIES and KEPT_FILES."""
    directories = set(submodules)
    for name in tracked:
        while (name := name.rpartition("/")[0]) and name not in directories:
            directories.add(name)

    pending = [(str(root), "")]
    while pending:
        directory, prefix = pending.pop()
        with os.scandir(directory) as found:
            entries = list(found)
        for entry in entries:
            name = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                if keep and entry.name in KEPT_DIRECTORIES:
                    continue
                if name in directories:
                    pending.append((entry.path, name + "/"))
                else:
                    remove_tree(Path(entry.path))
            elif name not in tracked and not (
                keep and entry.name in KEPT_FILES and entry.is_file(follow_symlinks=False)
            ):
                Path(entry.path).unlink()


def _replace_leaving_links(root: Path, links: list[str]) -> None:
    """Replace links that lead out of the tree by plain files with their targets."""
    top = os.path.realpath(root)
    leaving = [root / name for name in links if not _within(top, root / name)]
    for link in leaving:
        target = os.fsencode(link.readlink())
        link.unlink()
        link.write_bytes(target)


def _within(top: str, link: Path) -> bool:
    """Whether a link stays in the tree. One that leads on through too many links counts as leaving."""
    try:
        path = os.path.realpath(link)
    except RecursionError:  # before Python 3.13, realpath calls itself for each link
        return False
    return path == top or path.startswith(top + os.sep)
