"""JSON of check runs, as GitHub's API and its webhooks show it."""

from __future__ import annotations

from typing import Any

from bot.playground.github import git, views
from bot.playground.github.records import Check, Pull, Repo, User
from bot.playground.github.state import State


def _pulls(state: State, check: Check) -> list[dict[str, Any]]:
    return [
        {
            "url": f"{views.repo_api(state, pull.repo)}/pulls/{pull.number}",
            "id": pull.id,
            "number": pull.number,
            "head": _branch(state, pull.head_ref, pull.head_sha, pull.head_repo or pull.repo),
            "base": _branch(state, pull.base_ref, pull.base_sha, pull.repo),
        }
        for pull in _pulls_of(state, check)
    ]


def _pulls_of(state: State, check: Check) -> list[Pull]:
    """Return the open pull requests at the check's commit. GitHub leaves out those from forks."""
    return [
        pull
        for pull in state.pulls.values()
        if pull.head_repo is check.repo and pull.head_sha == check.head_sha and pull.state == "open"
    ]


def _branch(state: State, ref: str, sha: str, repo: Repo) -> dict[str, Any]:
    return {
        "ref": ref,
        "sha": sha,
        "repo": {"id": repo.id, "url": views.repo_api(state, repo), "name": repo.name},
    }


def view(state: State, check: Check) -> dict[str, Any]:
    """Return a check run's JSON."""
    api = views.repo_api(state, check.repo)
    output = {key: check.output.get(key) for key in ("title", "summary", "text")}
    return {
        "id": check.id,
        "name": check.name,
        "node_id": f"CR_{check.id}",
        "head_sha": check.head_sha,
        "external_id": check.external_id,
        "url": f"{api}/check-runs/{check.id}",
        "html_url": f"{state.url}/{check.repo.full_name}/runs/{check.id}",
        "details_url": check.details_url or f"{state.url}/apps/{check.app.slug}",
        "status": check.status,
        "conclusion": check.conclusion,
        "started_at": views.timestamp(check.started_at),
        "completed_at": views.timestamp(check.completed_at),
        "output": {
            **output,
            "annotations_count": len(check.annotations),
            "annotations_url": f"{api}/check-runs/{check.id}/annotations",
        },
        "check_suite": {"id": check.suite},
        "app": views.app(state, check.app),
        "pull_requests": _pulls(state, check),
    }


def emit(state: State, action: str, check: Check, sender: User, more: dict[str, Any] | None = None) -> None:
    """Send a `check_run` webhook, which describes the check suite in full."""
    api = views.repo_api(state, check.repo)
    branch = next((pull.head_ref for pull in _pulls_of(state, check)), None)
    suite = {
        "id": check.suite,
        "node_id": f"CS_{check.suite}",
        "head_branch": branch,
        "head_sha": check.head_sha,
        "status": check.status,
        "conclusion": check.conclusion,
        "url": f"{api}/check-suites/{check.suite}",
        "before": git.NO_COMMIT,
        "after": check.head_sha,
        "pull_requests": _pulls(state, check),
        "app": views.app(state, check.app),
        "created_at": views.timestamp(check.started_at),
        "updated_at": views.timestamp(check.completed_at or check.started_at),
    }
    payload = {"action": action, "check_run": {**view(state, check), "check_suite": suite}, **(more or {})}
    state.emit("check_run", check.repo, payload, sender)
