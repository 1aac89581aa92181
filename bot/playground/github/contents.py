"""Files of a repository, and what is wrong with its CODEOWNERS."""

from __future__ import annotations

import base64
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from bot.playground.github import owners, plumbing, views
from bot.playground.github.call import Call, Reply, Routes
from bot.playground.github.records import Repo
from bot.playground.github.repos import resolved
from bot.playground.github.state import Refusal, State

INLINE = 1024 * 1024
"""GitHub: above this size a file's JSON comes without its content; the raw form has up to 100 MB."""


def _contents(call: Call) -> Reply:
    state, repo = call.state, call.repo("contents:read")
    sha, path = (
        resolved(repo, call.query.get("ref", repo.default_branch)),
        call.path["path"].strip("/"),
    )
    listing = plumbing.git(repo.path, "ls-tree", "-z", "-l", sha, *([path] if path else [])).decode(
        errors="replace"
    )
    entries = [entry for entry in listing.split("\0") if entry]
    if not entries:
        raise Refusal(404, "Not Found")
    if not path or entries[0].split()[1] == "tree":
        inside = (
            plumbing.git(repo.path, "ls-tree", "-z", "-l", f"{sha}:{path}")
            .decode(errors="replace")
            .split("\0")
        )
        return Reply([_entry(state, repo, sha, path, entry) for entry in inside if entry])
    found = _entry(state, repo, sha, str(PurePosixPath(path).parent).strip("."), entries[0])
    content = plumbing.git(repo.path, "cat-file", "blob", found["sha"])
    if ".raw" in call.accept:
        return Reply(raw=content)
    inline = len(content) <= INLINE
    encoded = base64.encodebytes(content).decode() if inline else ""
    return Reply({**found, "content": encoded, "encoding": "base64" if inline else "none"})


def _entry(state: State, repo: Repo, commit_id: str, below: str, entry: str) -> dict[str, Any]:
    """One line of ls-tree: `mode type id size<TAB>name`."""
    meta, _, name = entry.partition("\t")
    _, kind, sha, size = meta.split()
    name = name.rpartition("/")[2]
    path = f"{below}/{name}" if below else name
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
    return Reply({"errors": owners.errors(call.state, repo, call.query.get("ref", repo.default_branch))})


_AT = "/repos/{owner}/{repo}"
ROUTES: Routes = [
    ("GET", _AT + "/contents/{path:path}", _contents),
    ("GET", _AT + "/codeowners/errors", _owners),
]
