"""API routes of a repository's files and its CODEOWNERS errors."""

from __future__ import annotations

import base64
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from bot.playground.github import codeowners, git, views
from bot.playground.github.call import Call, Reply, Routes
from bot.playground.github.commits import resolve
from bot.playground.github.records import Repo
from bot.playground.github.state import Refusal, State

INLINE = 1024 * 1024
"""Bytes above which GitHub returns a file's JSON without its content. The raw form has up to 100 MB."""


def _contents(call: Call) -> Reply:
    state, repo = call.state, call.repo("contents:read")
    sha, path = (
        resolve(repo, call.query.get("ref", repo.default_branch)),
        call.path["path"].strip("/"),
    )
    listing = git.run(repo.path, "ls-tree", "-z", "-l", sha, *([path] if path else [])).decode(
        errors="replace"
    )
    entries = [entry for entry in listing.split("\0") if entry]
    if not entries:
        raise Refusal(404, "Not Found")
    if not path or entries[0].split()[1] == "tree":
        inside = (
            git.run(repo.path, "ls-tree", "-z", "-l", f"{sha}:{path}").decode(errors="replace").split("\0")
        )
        return Reply([_entry(state, repo, sha, path, entry) for entry in inside if entry])
    found = _entry(state, repo, sha, str(PurePosixPath(path).parent).strip("."), entries[0])
    content = git.run(repo.path, "cat-file", "blob", found["sha"])
    if ".raw" in call.accept:
        return Reply(raw=content)
    inline = len(content) <= INLINE
    encoded = base64.encodebytes(content).decode() if inline else ""
    return Reply({**found, "content": encoded, "encoding": "base64" if inline else "none"})


def _entry(state: State, repo: Repo, commit_id: str, parent: str, entry: str) -> dict[str, Any]:
    """Return the JSON of a line of `git ls-tree -l`: `mode type id size<TAB>name`."""
    meta, _, name = entry.partition("\t")
    _, kind, sha, size = meta.split()
    name = name.rpartition("/")[2]
    path = f"{parent}/{name}" if parent else name
    api, page = views.repo_api(state, repo), f"{state.url}/{repo.full_name}"
    url = f"{api}/contents/{quote(path)}?ref={commit_id}"
    is_file = kind == "blob"
    blob = f"{api}/git/{'blobs' if is_file else 'trees'}/{sha}"
    html = f"{page}/{'blob' if is_file else 'tree'}/{commit_id}/{quote(path)}"
    return {
        "type": "file" if is_file else "dir",
        "name": name,
        "path": path,
        "sha": sha,
        "size": int(size) if is_file else 0,
        "url": url,
        "git_url": blob,
        "html_url": html,
        "download_url": f"{page}/raw/{commit_id}/{quote(path)}" if is_file else None,
        "_links": {"self": url, "git": blob, "html": html},
    }


def _owners(call: Call) -> Reply:
    repo = call.repo("contents:read")
    return Reply({"errors": codeowners.errors(call.state, repo, call.query.get("ref", repo.default_branch))})


_PATH = "/repos/{owner}/{repo}"
ROUTES: Routes = [
    ("GET", _PATH + "/contents/{path:path}", _contents),
    ("GET", _PATH + "/codeowners/errors", _owners),
]
