"""git on the stand-in's own bare repositories."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

NOTHING = "0" * 40
"""What stands for no commit in a push."""
PAGES = "GitHub"
"""The committer of what is committed on GitHub's pages: merges, files edited there."""


class GitFailed(Exception):
    """git ended with an error; the text is what it said."""


def git(path: Path, *arguments: str, stdin: bytes = b"", ok: tuple[int, ...] = (0,)) -> bytes:
    """The output of a git command in the repository at `path`. Raises GitFailed for an exit code not in `ok`."""
    done = subprocess.run(
        ["git", *arguments], cwd=path, input=stdin, capture_output=True, env=clean(), check=False
    )
    if done.returncode not in ok:
        raise GitFailed(done.stderr.decode(errors="replace").strip() or f"git {arguments[0]} failed")
    return done.stdout


def clean() -> dict[str, str]:
    """An environment in which git has no settings but its repository's."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
    }


def create(path: Path, branch: str) -> None:
    """A bare repository that serves any commit by its id, as GitHub does."""
    path.mkdir(parents=True)
    git(path, "init", "--quiet", "--bare", f"--initial-branch={branch}")
    for key in ("uploadpack.allowAnySHA1InWant", "uploadpack.allowFilter"):
        git(path, "config", key, "true")


def clone(source: Path, path: Path) -> None:
    """A bare copy of the branches, for a fork."""
    branch = git(source, "symbolic-ref", "--short", "HEAD").decode().strip()
    create(path, branch)
    git(path, "fetch", "--quiet", str(source), "+refs/heads/*:refs/heads/*")


def resolve(path: Path, name: str) -> str | None:
    """The full id of the commit that a branch, tag or id names, or None."""
    if not name or name.startswith("-"):
        return None
    for candidate in (f"refs/heads/{name}", f"refs/tags/{name}", name):
        found = git(path, "rev-parse", "--verify", "--quiet", f"{candidate}^{{commit}}", ok=(0, 1, 128))
        if found:
            return found.decode().strip()
    return None


def refs(path: Path) -> dict[str, str]:
    """All branches and tags: full name to commit id."""
    lines = git(path, "for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags")
    return dict(line.split(" ", 1) for line in lines.decode().splitlines())


def commit(
    path: Path,
    branch: str,
    files: Mapping[str, str | bytes | None],
    *,
    author: str,
    message: str,
    at: datetime,
    start: str | None,
    committer: str = "",
) -> str:
    """Commit `files` (None deletes) to `branch`, which starts at commit `start` where it is new; returns the id."""
    when = f"{int(at.timestamp())} +0000"
    by, of = (f"{name} <{address(name)}> {when}" for name in (author, committer or author))
    text = message.encode()
    stream = [
        f"commit refs/heads/{branch}\nauthor {by}\ncommitter {of}\ndata {len(text)}\n".encode(),
        text + b"\n",
    ]
    if start:
        stream.append(f"from {start}\n".encode())
    for name, content in files.items():
        if content is None:
            stream.append(f"D {quoted(name)}\n".encode())
        else:
            data = content.encode() if isinstance(content, str) else content
            stream.append(f"M 100644 inline {quoted(name)}\ndata {len(data)}\n".encode() + data + b"\n")
    git(path, "fast-import", "--quiet", "--force", stdin=b"".join(stream))
    return git(path, "rev-parse", f"refs/heads/{branch}").decode().strip()


def address(name: str) -> str:
    """The e-mail address that git gets for somebody."""
    return "noreply@github.com" if name == PAGES else f"{name}@users.noreply.example.com"


def quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def merge_tree(path: Path, base: str, head: str) -> str | None:
    """The tree of a merge of both commits, or None where they conflict."""
    done = git(path, "merge-tree", "--write-tree", base, head, ok=(0, 1))
    lines = done.decode().splitlines()
    return lines[0] if len(lines) == 1 else None


def commit_tree(path: Path, tree: str, parents: list[str], *, author: str, message: str, at: datetime) -> str:
    """A commit of an existing tree, made on GitHub's pages; returns its id."""
    who = {"GIT_AUTHOR_NAME": author, "GIT_AUTHOR_EMAIL": address(author)}
    who |= {"GIT_COMMITTER_NAME": PAGES, "GIT_COMMITTER_EMAIL": address(PAGES)}
    given = [argument for parent in parents for argument in ("-p", parent)]
    stamp = f"{int(at.timestamp())} +0000"
    done = subprocess.run(
        ["git", "commit-tree", tree, *given, "-F", "-"],
        cwd=path,
        input=message.encode(),
        capture_output=True,
        env={**clean(), **who, "GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp},
        check=True,
    )
    return done.stdout.decode().strip()


def log(path: Path, *range_: str) -> list[tuple[str, str]]:
    """(id, title) of the commits in a range, oldest first."""
    lines = git(path, "log", "--reverse", "--format=%H %s", *range_).decode().splitlines()
    return [(line[:40], line[41:]) for line in lines]


def changes(path: Path, base: str, head: str) -> list[tuple[str, str, int, int]]:
    """(status, name, lines added, lines deleted) of each file that differs from the merge base of both."""
    where = (f"{base}...{head}",)
    kinds = (
        git(path, "diff", "--no-renames", "--name-status", "-z", *where).decode(errors="replace").split("\0")
    )
    sizes = git(path, "diff", "--no-renames", "--numstat", "-z", *where).decode(errors="replace").split("\0")
    status = {"A": "added", "D": "removed"}
    found = []
    for letter, name, size in zip(kinds[::2], kinds[1::2], sizes, strict=False):
        added, deleted, _ = size.split("\t")
        count = (0, 0) if added == "-" else (int(added), int(deleted))
        found.append((status.get(letter, "modified"), name, *count))
    return found
