"""Commit statuses, which bots with a token use in place of check runs."""

from __future__ import annotations

from typing import Any

from bot.playground.github import git, views
from bot.playground.github.call import Call, Reply, Routes, validation_failed
from bot.playground.github.records import Status
from bot.playground.github.state import Refusal, State

DESCRIPTION = 140
"""GitHub's limit of characters in a description."""


def view(state: State, one: Status) -> dict[str, Any]:
    """Return a commit status's JSON."""
    return {
        "url": f"{views.repo_api(state, one.repo)}/statuses/{one.sha}",
        "avatar_url": f"{state.url}/avatars/{one.creator.id}",
        "id": one.id,
        "node_id": f"SC_{one.id}",
        "state": one.state,
        "description": one.description,
        "target_url": one.target_url,
        "context": one.context,
        "created_at": views.timestamp(one.created_at),
        "updated_at": views.timestamp(one.created_at),
        "creator": views.user(state, one.creator),
    }


def _create(call: Call) -> Reply:
    state, repo, sha = call.state, call.repo("statuses:write", "write"), call.path["sha"]
    if git.resolve(repo.path, sha) != sha:
        raise Refusal(422, f"No commit found for SHA: {sha}")
    outcome = call.text("state", of="Status")
    if outcome not in ("error", "failure", "pending", "success"):
        raise validation_failed("Status", "state", "invalid")
    with state.change():
        status = Status(
            state.next_id(),
            repo,
            sha,
            outcome,
            call.text("context", "default", of="Status"),
            call.text("description", "", most=DESCRIPTION, of="Status") or None,
            call.text("target_url", "", of="Status") or None,
            call.user,
            state.now(),
        )
        state.statuses[status.id] = status
    return Reply(view(state, status), 201)


def _list(call: Call) -> Reply:
    repo = call.repo("statuses:read")
    sha = git.resolve(repo.path, call.path["ref"])
    listed = [one for one in reversed(call.state.statuses.values()) if one.repo is repo and one.sha == sha]
    return call.page(listed, lambda one: view(call.state, one))


_PATH = "/repos/{owner}/{repo}"
ROUTES: Routes = [
    ("POST", _PATH + "/statuses/{sha}", _create),
    ("GET", _PATH + "/commits/{ref:path}/statuses", _list),
]
