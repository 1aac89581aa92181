"""A person's clone, to make commits with."""

from __future__ import annotations

import subprocess
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

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.path, env=_WHO, capture_output=True, check=True)
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
