"""A person's clone, to make commits with."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

_WHO = {
    "GIT_AUTHOR_NAME": "ann",
    "GIT_AUTHOR_EMAIL": "ann@example.com",
    "GIT_COMMITTER_NAME": "ann",
    "GIT_COMMITTER_EMAIL": "ann@example.com",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
}


class Work:
    """A working copy at `path` that pushes to the bare repository `origin`."""

    def __init__(self, path: Path, origin: Path) -> None:
        self.path = path
        self.origin = origin
        origin.mkdir(parents=True)
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(origin))
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("remote", "add", "origin", str(origin))

    def git(self, *arguments: str, stdin: str = "") -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env=_WHO,
            capture_output=True,
            check=True,
            input=stdin.encode(),
        )
        return done.stdout.decode().strip()

    def write(self, name: str, content: str | bytes) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    def commit(self, message: str = "change", *, push: str = "refs/heads/main") -> str:
        """Commit all and push it to `push` (nowhere when empty); returns the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        if push:
            self.git("push", "--quiet", "--force", "origin", f"HEAD:{push}")
        return self.git("rev-parse", "HEAD")

    def commit_paths(self, paths: Iterable[str], *, push: str = "refs/heads/main") -> str:
        """Commit empty files besides those of the last commit, without writing any; returns the commit."""
        blob = self.git("hash-object", "-w", "--stdin")
        self.git("read-tree", "HEAD")
        listing = "".join(f"100644 {blob}\t{path}\n" for path in paths)
        self.git("update-index", "--index-info", stdin=listing)
        commit = self.commit_tree(self.git("write-tree"), push=push)
        self.git("read-tree", "HEAD")
        return commit

    def make_tree(self, entries: str) -> str:
        """Make a tree of lines as `ls-tree` writes them; returns its id."""
        return self.git("mktree", stdin=entries)

    def commit_tree(self, tree: str, *, push: str = "refs/heads/main") -> str:
        """Commit a tree on top of the last commit, which stays checked out; returns the commit."""
        commit = self.git("commit-tree", tree, "-p", "HEAD", "-m", "change")
        self.git("push", "--quiet", "--force", "origin", f"{commit}:{push}")
        return commit


def make_deep(top: Path, names: Iterable[str]) -> None:
    """Make directories one in the other, deeper than a path can name."""
    top.mkdir(parents=True, exist_ok=True)
    directory = os.open(top, os.O_RDONLY)
    for name in names:
        os.mkdir(name, dir_fd=directory)
        inner = os.open(name, os.O_RDONLY, dir_fd=directory)
        os.close(directory)
        directory = inner
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=directory))
    os.close(directory)
