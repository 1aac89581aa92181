"""git commands on the bare repositories of the stand-in."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

NO_COMMIT = "0" * 40
"""The object id that a push event uses for a branch that does not exist."""
WEB_COMMITTER = "GitHub"
"""The committer of merges and edits made on GitHub's web pages."""


@dataclass(frozen=True)
class NewCommit:
    """A commit to create. files: path to new content, None to delete. committer: the author if empty."""

    files: Mapping[str, str | bytes | None]
    author: str
    message: str
    at: datetime
    committer: str = ""


class LogEntry(NamedTuple):
    """A commit and the first line of its message."""

    sha: str
    title: str


class FileChange(NamedTuple):
    """A file that differs between two commits. status: added, removed or modified. added, deleted: lines."""

    status: str
    path: str
    added: int
    deleted: int


class GitFailed(Exception):
    """git exited with an error. The text is its standard error."""


def run(path: Path, *arguments: str, stdin: bytes = b"", ok: tuple[int, ...] = (0,)) -> bytes:
    """Run git in the repository at `path` and return its output. Raises GitFailed if its exit code is not in `ok`."""
    done = subprocess.run(
        ["git", *arguments], cwd=path, input=stdin, capture_output=True, env=environment(), check=False
    )
    if done.returncode not in ok:
        raise GitFailed(done.stderr.decode(errors="replace").strip() or f"git {arguments[0]} failed")
    return done.stdout


def environment() -> dict[str, str]:
    """Return an environment in which git reads no configuration but the repository's."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def create(path: Path, branch: str) -> None:
    """Create a bare repository that serves any commit by its id, as GitHub does."""
    path.mkdir(parents=True)
    run(path, "init", "--quiet", "--bare", f"--initial-branch={branch}")
    for key in ("uploadpack.allowAnySHA1InWant", "uploadpack.allowFilter"):
        run(path, "config", key, "true")


def clone(source: Path, path: Path) -> None:
    """Copy all branches into a new bare repository, for a fork."""
    branch = run(source, "symbolic-ref", "--short", "HEAD").decode().strip()
    create(path, branch)
    run(path, "fetch", "--quiet", str(source), "+refs/heads/*:refs/heads/*")


def resolve(path: Path, name: str) -> str | None:
    """Return the full id of the commit that a branch, tag or id names, or None."""
    if not name or name.startswith("-"):
        return None
    for candidate in (f"refs/heads/{name}", f"refs/tags/{name}", name):
        found = run(path, "rev-parse", "--verify", "--quiet", f"{candidate}^{{commit}}", ok=(0, 1, 128))
        if found:
            return found.decode().strip()
    return None


def refs(path: Path) -> dict[str, str]:
    """Return all branches and tags, as full name to commit id."""
    lines = run(path, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags")
    return dict(line.split(" ", 1) for line in lines.decode().splitlines())


def commit(path: Path, branch: str, new: NewCommit, start: str | None) -> str:
    """Create a commit on `branch` with `start` as its parent and return its id."""
    when = f"{int(new.at.timestamp())} +0000"
    by, of = (f"{name} <{email(name)}> {when}" for name in (new.author, new.committer or new.author))
    text = new.message.encode()
    stream = [
        f"commit refs/heads/{branch}\nauthor {by}\ncommitter {of}\ndata {len(text)}\n".encode(),
        text + b"\n",
    ]
    if start:
        stream.append(f"from {start}\n".encode())
    for name, content in new.files.items():
        if content is None:
            stream.append(f"D {_quote(name)}\n".encode())
        else:
            data = content.encode() if isinstance(content, str) else content
            stream.append(f"M 100644 inline {_quote(name)}\ndata {len(data)}\n".encode() + data + b"\n")
    run(path, "fast-import", "--quiet", "--force", stdin=b"".join(stream))
    return run(path, "rev-parse", f"refs/heads/{branch}").decode().strip()


def email(name: str) -> str:
    """Return the email address that git records for a login."""
    return "noreply@github.com" if name == WEB_COMMITTER else f"{name}@users.noreply.example.com"


def _quote(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def merge_tree(path: Path, base: str, head: str) -> str | None:
    """Return the tree that merging both commits gives, or None if they conflict."""
    done = run(path, "merge-tree", "--write-tree", base, head, ok=(0, 1))
    lines = done.decode().splitlines()
    return lines[0] if len(lines) == 1 else None


def commit_tree(path: Path, tree: str, parents: list[str], *, author: str, message: str, at: datetime) -> str:
    """Commit an existing tree, as GitHub's web pages do, and return the commit's id."""
    who = {"GIT_AUTHOR_NAME": author, "GIT_AUTHOR_EMAIL": email(author)}
    who |= {"GIT_COMMITTER_NAME": WEB_COMMITTER, "GIT_COMMITTER_EMAIL": email(WEB_COMMITTER)}
    parent_flags = [argument for parent in parents for argument in ("-p", parent)]
    stamp = f"{int(at.timestamp())} +0000"
    done = subprocess.run(
        ["git", "commit-tree", tree, *parent_flags, "-F", "-"],
        cwd=path,
        input=message.encode(),
        capture_output=True,
        env={**environment(), **who, "GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp},
        check=True,
    )
    return done.stdout.decode().strip()


def rebase(path: Path, base: str, head: str, *, at: datetime) -> str | None:
    """Replay the commits of `head` that `base` lacks on top of it, as GitHub's button does, and return the last one; None
    if they conflict. GitHub makes new commits even if nothing is in between."""
    tip = base
    for commit in log(path, "--no-merges", head, f"^{base}"):
        tree = merge_tree(path, tip, commit.sha)  # what earlier commits changed is the same on both sides
        if tree is None:
            return None
        author, _, message = (
            run(path, "show", "-s", "--format=%an%x00%B", commit.sha).decode().partition("\0")
        )
        tip = commit_tree(path, tree, [tip], author=author, message=message.strip(), at=at)
    return tip


def log(path: Path, *range_: str) -> list[LogEntry]:
    """Return the commits in a range, oldest first."""
    lines = run(path, "log", "--reverse", "--format=%H %s", *range_).decode().splitlines()
    return [LogEntry(line[:40], line[41:]) for line in lines]


def changes(path: Path, base: str, head: str) -> list[FileChange]:
    """Return each file that differs between `head` and the merge base of both commits."""
    span = f"{base}...{head}"
    kinds = (
        run(path, "diff", "--no-renames", "--name-status", "-z", span).decode(errors="replace").split("\0")
    )
    sizes = run(path, "diff", "--no-renames", "--numstat", "-z", span).decode(errors="replace").split("\0")
    status = {"A": "added", "D": "removed"}
    found = []
    for letter, name, size in zip(kinds[::2], kinds[1::2], sizes, strict=False):
        added, deleted, _ = size.split("\t")
        lines = (0, 0) if added == "-" else (int(added), int(deleted))
        found.append(FileChange(status.get(letter, "modified"), name, *lines))
    return found
