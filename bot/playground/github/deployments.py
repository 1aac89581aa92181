"""Deployments and their statuses."""

from __future__ import annotations

from typing import Any

from bot.playground.github import git, views
from bot.playground.github.call import Call, Reply, Routes, validation_failed
from bot.playground.github.records import Deployment, DeploymentState, Repo
from bot.playground.github.state import Refusal, State

DESCRIPTION = 140
"""GitHub's limit of characters in a description."""
STATES = ("error", "failure", "inactive", "in_progress", "queued", "pending", "success")


def view(state: State, one: Deployment) -> dict[str, Any]:
    """Return a deployment's JSON."""
    url = f"{views.repo_api(state, one.repo)}/deployments/{one.id}"
    return {
        "url": url,
        "id": one.id,
        "node_id": f"DE_{one.id}",
        "task": one.task,
        "original_environment": one.environment,
        "environment": one.environment,
        "description": one.description,
        "created_at": views.timestamp(one.created_at),
        "updated_at": views.timestamp(one.states[-1].created_at if one.states else one.created_at),
        "statuses_url": f"{url}/statuses",
        "repository_url": views.repo_api(state, one.repo),
        "creator": views.user(state, one.creator),
        "sha": one.sha,
        "ref": one.ref,
        "payload": one.payload,
        "transient_environment": one.transient,
        "production_environment": one.production,
        "performed_via_github_app": None,
    }


def _state_view(state: State, of: Deployment, one: DeploymentState) -> dict[str, Any]:
    url = f"{views.repo_api(state, of.repo)}/deployments/{of.id}"
    return {
        "url": f"{url}/statuses/{one.id}",
        "id": one.id,
        "node_id": f"DES_{one.id}",
        "state": one.state,
        "creator": views.user(state, one.creator),
        "description": one.description,
        "environment": of.environment,
        "target_url": one.log_url,
        "created_at": views.timestamp(one.created_at),
        "updated_at": views.timestamp(one.created_at),
        "deployment_url": url,
        "repository_url": views.repo_api(state, of.repo),
        "environment_url": one.environment_url,
        "log_url": one.log_url,
        "performed_via_github_app": None,
    }


def _create(call: Call) -> Reply:
    """Create a deployment.

    Like GitHub, it fails if statuses of the commit are unfinished, unless `required_contexts` is an empty list, and if
    the default branch has other commits, unless `auto_merge` is false.
    """
    state, repo = call.state, call.repo("deployments:write", "write")
    ref = call.text("ref", of="Deployment")
    sha = git.resolve(repo.path, ref)
    if sha is None:
        raise Refusal(422, f"No ref found for: {ref}")
    default = git.resolve(repo.path, repo.default_branch)
    if call.body.get("auto_merge", True) and default and git.log(repo.path, default, f"^{sha}"):
        raise Refusal(409, "Conflict merging " + repo.default_branch + " into " + ref)
    if call.body.get("required_contexts") is None and _unfinished(state, repo, sha):
        raise Refusal(409, "Conflict: Commit status checks failed for " + ref)
    description = call.text("description", "", most=DESCRIPTION, of="Deployment")
    environment = call.text("environment", "production", of="Deployment")
    with state.change():
        one = Deployment(
            id=state.next_id(),
            repo=repo,
            sha=sha,
            ref=ref,
            task=call.text("task", "deploy", of="Deployment"),
            environment=environment,
            description=description or None,
            payload=call.body.get("payload") or {},
            production=bool(call.body.get("production_environment", environment == "production")),
            transient=bool(call.body.get("transient_environment", False)),
            creator=call.user,
            created_at=state.now(),
        )
        state.deployments[one.id] = one
    return Reply(view(state, one), 201)


def _unfinished(state: State, repo: Repo, sha: str) -> bool:
    statuses = any(s.repo is repo and s.sha == sha and s.state != "success" for s in state.statuses.values())
    checks = (c for c in state.checks.values() if c.repo is repo and c.head_sha == sha)
    return statuses or any(c.conclusion not in ("success", "neutral", "skipped") for c in checks)


def _one(call: Call, permission: str) -> Deployment:
    repo = call.repo(permission, "write" if permission.endswith("write") else "read")
    one = call.state.deployments.get(call.number("deployment"))
    if one is None or one.repo is not repo:
        raise Refusal(404, "Not Found")
    return one


def _set(call: Call) -> Reply:
    state, one = call.state, _one(call, "deployments:write")
    word = call.text("state", of="DeploymentStatus")
    if word not in STATES:
        raise validation_failed("DeploymentStatus", "state", "inclusion")
    description = call.text("description", "", most=DESCRIPTION, of="DeploymentStatus")
    with state.change():
        status = DeploymentState(
            state.next_id(),
            word,
            description,
            call.text("log_url", call.text("target_url", "", of="DeploymentStatus"), of="DeploymentStatus"),
            call.text("environment_url", "", of="DeploymentStatus"),
            call.user,
            state.now(),
        )
        one.states.append(status)
        if word == "success" and call.body.get("auto_inactive", True):
            _retire(state, one)
    return Reply(_state_view(state, one, status), 201)


def _retire(state: State, one: Deployment) -> None:
    """Mark earlier deployments of the environment as inactive. GitHub leaves out transient and production ones."""
    for other in state.deployments.values():
        same = other.repo is one.repo and other.environment == one.environment and other.id < one.id
        kept = other.transient or other.production
        if same and not kept and other.states and other.states[-1].state == "success":
            other.states.append(
                DeploymentState(state.next_id(), "inactive", "", "", "", one.creator, state.now())
            )


def _list(call: Call) -> Reply:
    repo, query = call.repo("deployments:read"), call.query
    listed = [
        one
        for one in reversed(call.state.deployments.values())
        if one.repo is repo
        and query.get("environment") in (None, one.environment)
        and query.get("sha") in (None, one.sha)
        and query.get("ref") in (None, one.ref)
    ]
    return call.page(listed, lambda one: view(call.state, one))


def _states(call: Call) -> Reply:
    one = _one(call, "deployments:read")
    return call.page(list(reversed(one.states)), lambda status: _state_view(call.state, one, status))


_PATH = "/repos/{owner}/{repo}/deployments"
ROUTES: Routes = [
    ("GET", _PATH, _list),
    ("POST", _PATH, _create),
    ("GET", _PATH + "/{deployment}", lambda c: Reply(view(c.state, _one(c, "deployments:read")))),
    ("GET", _PATH + "/{deployment}/statuses", _states),
    ("POST", _PATH + "/{deployment}/statuses", _set),
]
