"""Repositories: making them, their branches and commits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from bot.playground.github import plumbing, views
from bot.playground.github.call import Call, Reply, Routes, invalid
from bot.playground.github.records import Repo, User
from bot.playground.github.state import ROLES, Refusal, State


def create(
    state: State,
    full_name: str,
    files: Mapping[str, str | bytes],
    *,
    private: bool = False,
    roles: Mapping[str, str] | None = None,
    parent: Repo | None = None,
) -> Repo:
    """A repository whose default branch `main` has one commit with `files`; a fork has its parent's branches.

    roles: login to one of ROLES. Raises Refusal 422 where the name is taken, 404 for an unknown owner.
    """
    owner, _, name = full_name.partition("/")
    if full_name.lower() in state.repos:
        raise invalid("Repository", "name", "already_exists", "name already exists on this account")
    for login, role in (roles or {}).items():
        state.user(login)
        if role not in ROLES:
            raise ValueError(f"no role {role!r}")
    with state.change():
        account = state.user(owner)
        path = state.root / owner / f"{name}.git"
        given = {login.lower(): role for login, role in (roles or {}).items()}
        repo = Repo(state.next_id(), account, name, path, private, state.now(), roles=given, parent=parent)
        if parent:
            plumbing.clone(parent.path, path)
            repo.default_branch = parent.default_branch
        else:
            plumbing.create(path, repo.default_branch)
            if files:
                commit(state, repo, repo.default_branch, files, account.login, "Initial commit")
        state.repos[full_name.lower()] = repo
    return repo


def commit(
    state: State,
    repo: Repo,
    branch: str,
    files: Mapping[str, str | bytes | None],
    author: str,
    message: str,
    start: str = "",
    committer: str = "",
) -> str:
    """Commit to a branch; a new one starts at `start`, by default at the default branch. Returns the id."""
    where = plumbing.resolve(repo.path, f"refs/heads/{branch}") or plumbing.resolve(
        repo.path, start or repo.default_branch
    )
    return plumbing.commit(
        repo.path,
        branch,
        files,
        author=author,
        message=message,
        at=state.now(),
        start=where,
        committer=committer,
    )


def commit_view(state: State, repo: Repo, sha: str) -> dict[str, Any]:
    form = "--format=%T%n%P%n%an%n%ae%n%aI%n%cn%n%ce%n%cI%n%B"
    tree, parents, *people, message = plumbing.git(repo.path, "log", "-1", form, sha).decode().split("\n", 8)
    api, page = views.repo_api(state, repo), f"{state.url}/{repo.full_name}"
    author, committer = (
        dict(zip(("name", "email", "date"), one, strict=True)) for one in (people[:3], people[3:])
    )
    return {
        "url": f"{api}/commits/{sha}",
        "sha": sha,
        "node_id": f"C_{sha}",
        "html_url": f"{page}/commit/{sha}",
        "comments_url": f"{api}/commits/{sha}/comments",
        "commit": {
            "url": f"{api}/git/commits/{sha}",
            "author": author,
            "committer": committer,
            "message": message.strip(),
            "tree": {"sha": tree, "url": f"{api}/git/trees/{tree}"},
            "comment_count": 0,
        },
        "author": _account(state, author["email"]),
        "committer": _account(state, committer["email"]),
        "parents": [
            {"sha": parent, "url": f"{api}/commits/{parent}", "html_url": f"{page}/commit/{parent}"}
            for parent in parents.split()
        ],
    }


def account(state: State, address: str) -> User | None:
    """Whose e-mail address it is, as far as GitHub knows, whatever its case; its own pages' is `web-flow`."""
    address = address.lower()
    if address == plumbing.address(plumbing.PAGES):
        return User(19864447, "web-flow", "User", state.now())
    return next((one for one in state.users.values() if plumbing.address(one.login.lower()) == address), None)


def _account(state: State, address: str) -> dict[str, Any] | None:
    known = account(state, address)
    return views.user(state, known) if known else None


def file_view(state: State, repo: Repo, sha: str, status: tuple[str, str, int, int]) -> dict[str, Any]:
    """A changed file, as pull requests and comparisons list it."""
    kind, name, added, deleted = status
    where, page = quote(name), f"{state.url}/{repo.full_name}"
    blob = plumbing.git(repo.path, "rev-parse", "--verify", "--quiet", f"{sha}:{name}", ok=(0, 1, 128))
    return {
        "sha": blob.decode().strip() or None,
        "filename": name,
        "status": kind,
        "additions": added,
        "deletions": deleted,
        "changes": added + deleted,
        "blob_url": f"{page}/blob/{sha}/{where}",
        "raw_url": f"{page}/raw/{sha}/{where}",
        "contents_url": f"{views.repo_api(state, repo)}/contents/{where}?ref={sha}",
    }


def resolved(repo: Repo, name: str) -> str:
    """The commit behind a branch, tag or id. Raises Refusal 404."""
    sha = plumbing.resolve(repo.path, name)
    if sha is None:
        raise Refusal(404, f"No commit found for the ref {name}")
    return sha


def _branch(call: Call) -> Reply:
    repo, name = call.repo("contents:read"), call.path["branch"]
    sha = plumbing.refs(repo.path).get(f"refs/heads/{name}")
    if sha is None:
        raise Refusal(404, "Branch not found")
    api, page = views.repo_api(call.state, repo), f"{call.state.url}/{repo.full_name}"
    protection = f"{api}/branches/{quote(name)}/protection"
    return Reply(
        {
            "name": name,
            "commit": commit_view(call.state, repo, sha),
            "_links": {"self": f"{api}/branches/{quote(name)}", "html": f"{page}/tree/{quote(name)}"},
            "protected": False,
            "protection": {"enabled": False},
            "protection_url": protection,
        }
    )


def _branches(call: Call) -> Reply:
    repo = call.repo("contents:read")
    api = views.repo_api(call.state, repo)
    heads = [(n[11:], sha) for n, sha in plumbing.refs(repo.path).items() if n.startswith("refs/heads/")]
    return call.page(
        heads,
        lambda head: {
            "name": head[0],
            "commit": {"sha": head[1], "url": f"{api}/commits/{head[1]}"},
            "protected": False,
        },
    )


def _commits(call: Call) -> Reply:
    repo = call.repo("contents:read")
    sha = resolved(repo, call.query.get("sha", repo.default_branch))
    listed = list(reversed(plumbing.log(repo.path, sha)))
    return call.page(listed, lambda one: commit_view(call.state, repo, one[0]))


def _commit(call: Call) -> Reply:
    repo = call.repo("contents:read")
    return Reply(commit_view(call.state, repo, resolved(repo, call.path["ref"])))


def _compare(call: Call) -> Reply:
    state, repo = call.state, call.repo("contents:read")
    base, dots, head = call.path["basehead"].partition("...")
    if not dots:
        raise Refusal(404, "Not Found")
    old, new = resolved(repo, base), resolved(repo, head)
    common = plumbing.git(repo.path, "merge-base", old, new).decode().strip()
    ahead, behind = plumbing.log(repo.path, new, f"^{old}"), plumbing.log(repo.path, old, f"^{new}")
    words = {(True, True): "diverged", (True, False): "ahead", (False, True): "behind"}
    url = f"{views.repo_api(state, repo)}/compare/{quote(base)}...{quote(head)}"
    page = f"{state.url}/{repo.full_name}/compare/{quote(base)}...{quote(head)}"
    return Reply(
        {
            "url": url,
            "html_url": page,
            "permalink_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "base_commit": commit_view(state, repo, old),
            "merge_base_commit": commit_view(state, repo, common),
            "status": words.get((bool(ahead), bool(behind)), "identical"),
            "ahead_by": len(ahead),
            "behind_by": len(behind),
            "total_commits": len(ahead),
            "commits": [commit_view(state, repo, sha) for sha, _ in ahead],
            "files": [file_view(state, repo, new, one) for one in plumbing.changes(repo.path, old, new)],
        }
    )


_AT = "/repos/{owner}/{repo}"
ROUTES: Routes = [
    ("GET", _AT, lambda call: Reply(views.repo(call.state, call.repo()))),
    ("GET", _AT + "/branches", _branches),
    ("GET", _AT + "/branches/{branch:path}", _branch),
    ("GET", _AT + "/commits", _commits),
    ("GET", _AT + "/commits/{ref:path}", _commit),
    ("GET", _AT + "/compare/{basehead:path}", _compare),
]
