"""Commit statuses, which are what a bot with a token has instead of check runs."""

from __future__ import annotations

from typing import Any

from bot.playground.github import plumbing, views
from bot.playground.github.call import Call, Reply, Routes, invalid
from bot.playground.github.records import Status
from bot.playground.github.state import Refusal, State

DESCRIPTION = 140
"""GitHub: characters of a description."""


def view(state: State, one: Status) -> dict[str, Any]:
    return {
        "url": f"{views.repo_api(state, one.repo)}/statuses/{one.sha}",
        "avatar_url": f"{state.url}/avatars/{one.creator.id}",
        "id": one.id,
        "node_id": f"SC_{one.id}",
        "state": one.state,
        "description": one.description,
        "target_url": one.target_url,
        "context": one.context,
        "created_at": views.stamp(one.created_at),
        "updated_at": views.stamp(one.created_at),
        "creator": views.user(state, one.creator),
    }


def _status(call: Call) -> Reply:
    state, repo, sha = call.state, call.repo("statuses:write", "write"), call.path["sha"]
    if plumbing.resolve(repo.path, sha) != sha:
        raise Refusal(422, f"No commit found for SHA: {sha}")
    word = call.text("state", of="Status")
    if word not in ("error", "failure", "pending", "success"):
        raise invalid("Status", "state", "invalid")
    with state.change():
        made = Status(
            state.next_id(),
            repo,
            sha,
            word,
            call.text("context", "default", of="Status"),
            call.text("description", "", most=DESCRIPTION, of="Status") or None,
            call.text("target_url", "", of="Status") or None,
            call.user,
            state.now(),
        )
        state.statuses[made.id] = made
    return Reply(view(state, made), 201)


def _statuses(call: Call) -> Reply:
    repo = call.repo("statuses:read")
    sha = plumbing.resolve(repo.path, call.path["ref"])
    mine = [one for one in reversed(call.state.statuses.values()) if one.repo is repo and one.sha == sha]
    return call.page(mine, lambda one: view(call.state, one))


_AT = "/repos/{owner}/{repo}"
ROUTES: Routes = [
    ("POST", _AT + "/statuses/{sha}", _status),
    ("GET", _AT + "/commits/{ref:path}/statuses", _statuses),
]
