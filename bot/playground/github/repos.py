"""Repositories and their branches."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from bot.playground.github import git, views
from bot.playground.github.call import Call, Reply, Routes, validation_failed
from bot.playground.github.commits import commit_view
from bot.playground.github.records import Repo
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
    """Create a repository with one commit of `files` on `main`, or a fork of `parent` with its branches.

    roles: login to one of ROLES. Raises Refusal 422 if the name is taken, 404 if the owner is unknown.
    """
    owner, _, name = full_name.partition("/")
    if full_name.lower() in state.repos:
        raise validation_failed("Repository", "name", "already_exists", "name already exists on this account")
    for login, role in (roles or {}).items():
        state.user(login)
        if role not in ROLES:
            raise ValueError(f"no role {role!r}")
    with state.change():
        account = state.user(owner)
        path = state.root / owner / f"{name}.git"
        granted = {login.lower(): role for login, role in (roles or {}).items()}
        repo = Repo(state.next_id(), account, name, path, private, state.now(), roles=granted, parent=parent)
        if parent:
            git.clone(parent.path, path)
            repo.default_branch = parent.default_branch
        else:
            git.create(path, repo.default_branch)
            if files:
                first = git.NewCommit(files, account.login, "Initial commit", state.now())
                commit(repo, repo.default_branch, first)
        state.repos[full_name.lower()] = repo
    return repo


def commit(repo: Repo, branch: str, new: git.NewCommit, start: str = "") -> str:
    """Commit to a branch and return the commit's id. A new branch starts at `start`, else at the default branch."""
    tip = git.resolve(repo.path, f"refs/heads/{branch}")
    parent = tip or git.resolve(repo.path, start or repo.default_branch)
    return git.commit(repo.path, branch, new, parent)


def _branch(call: Call) -> Reply:
    repo, name = call.repo("contents:read"), call.path["branch"]
    sha = git.refs(repo.path).get(f"refs/heads/{name}")
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
    heads = [(n[11:], sha) for n, sha in git.refs(repo.path).items() if n.startswith("refs/heads/")]
    return call.page(
        heads,
        lambda head: {
            "name": head[0],
            "commit": {"sha": head[1], "url": f"{api}/commits/{head[1]}"},
            "protected": False,
        },
    )


_PATH = "/repos/{owner}/{repo}"
ROUTES: Routes = [
    ("GET", _PATH, lambda call: Reply(views.repo(call.state, call.repo()))),
    ("GET", _PATH + "/branches", _branches),
    ("GET", _PATH + "/branches/{branch:path}", _branch),
]
