"""Check runs, which only Apps may make."""

from __future__ import annotations

from typing import Any

from bot.playground.github import plumbing, views
from bot.playground.github.call import Call, Reply, Routes, invalid
from bot.playground.github.records import App, Check, Pull, Repo, User
from bot.playground.github.state import Refusal, State

STATUSES = ("queued", "in_progress", "completed")
CONCLUSIONS = ("action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out")
TEXT = 65535
ACTION = {"label": 20, "description": 40, "identifier": 20}
"""GitHub: characters of an action's parts; three actions at most."""


def _pulls(state: State, check: Check) -> list[dict[str, Any]]:
    return [
        {
            "url": f"{views.repo_api(state, pull.repo)}/pulls/{pull.number}",
            "id": pull.id,
            "number": pull.number,
            "head": _end(state, pull.head_ref, pull.head_sha, pull.head_repo or pull.repo),
            "base": _end(state, pull.base_ref, pull.base_sha, pull.repo),
        }
        for pull in _of_commit(state, check)
    ]


def _of_commit(state: State, check: Check) -> list[Pull]:
    """GitHub names open pull requests of the repository itself, none from forks."""
    return [
        pull
        for pull in state.pulls.values()
        if pull.head_repo is check.repo and pull.head_sha == check.head_sha and pull.state == "open"
    ]


def _end(state: State, ref: str, sha: str, repo: Repo) -> dict[str, Any]:
    return {
        "ref": ref,
        "sha": sha,
        "repo": {"id": repo.id, "url": views.repo_api(state, repo), "name": repo.name},
    }


def view(state: State, check: Check) -> dict[str, Any]:
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
        "started_at": views.stamp(check.started_at),
        "completed_at": views.stamp(check.completed_at),
        "output": {
            **output,
            "annotations_count": 0,
            "annotations_url": f"{api}/check-runs/{check.id}/annotations",
        },
        "check_suite": {"id": check.suite},
        "app": views.app(state, check.app),
        "pull_requests": _pulls(state, check),
    }


def emit(state: State, action: str, check: Check, sender: User, more: dict[str, Any] | None = None) -> None:
    """The webhook of a check, whose suite is spelled out there."""
    api = views.repo_api(state, check.repo)
    branch = next((pull.head_ref for pull in _of_commit(state, check)), None)
    suite = {
        "id": check.suite,
        "node_id": f"CS_{check.suite}",
        "head_branch": branch,
        "head_sha": check.head_sha,
        "status": check.status,
        "conclusion": check.conclusion,
        "url": f"{api}/check-suites/{check.suite}",
        "before": plumbing.NOTHING,
        "after": check.head_sha,
        "pull_requests": _pulls(state, check),
        "app": views.app(state, check.app),
        "created_at": views.stamp(check.started_at),
        "updated_at": views.stamp(check.completed_at or check.started_at),
    }
    payload = {"action": action, "check_run": {**view(state, check), "check_suite": suite}, **(more or {})}
    state.emit("check_run", check.repo, payload, sender)


def _set(call: Call, check: Check) -> None:
    """Take over what a request says about a check. Raises Refusal 422 for what GitHub would not take."""
    check.name = call.text("name", check.name, of="CheckRun")
    check.external_id = call.text("external_id", check.external_id, of="CheckRun")
    check.details_url = call.text("details_url", check.details_url, of="CheckRun")
    status = call.text("status", check.status, of="CheckRun")
    conclusion = call.text("conclusion", "", of="CheckRun")
    if status not in STATUSES or (conclusion and conclusion not in CONCLUSIONS):
        raise invalid("CheckRun", "status", "invalid")
    if status == "completed" and not (conclusion or check.conclusion):
        raise invalid("CheckRun", "conclusion", "missing_field")
    check.status = "completed" if conclusion else status
    check.conclusion = (conclusion or check.conclusion) if check.status == "completed" else None
    check.completed_at = call.state.now() if check.status == "completed" else None
    if "output" in call.body:
        check.output = {**check.output, **_output(call.body["output"])}
    if "actions" in call.body:
        check.actions = _actions(call.body["actions"])


def _output(output: Any) -> dict[str, Any]:
    if not isinstance(output, dict) or not isinstance(output.get("summary"), str):
        raise invalid("CheckRun", "output", "missing_field")
    for key in ("summary", "text"):
        if len((output.get(key) or "").encode()) > TEXT:
            raise invalid("CheckRun", key, "custom", f"{key} exceeds a maximum bytesize of {TEXT}")
    if len(output.get("title") or "") > 255:
        raise invalid("CheckRun", "title", "custom", "title is too long (maximum is 255 characters)")
    return output


def _actions(actions: Any) -> list[dict[str, str]]:
    if not isinstance(actions, list) or len(actions) > 3:
        raise invalid("CheckRun", "actions", "invalid")
    for action in actions:
        for key, most in ACTION.items():
            if not isinstance(action.get(key), str) or len(action[key]) > most:
                raise invalid("CheckRun", key, "custom", f"{key} is too long (maximum is {most} characters)")
    return actions


def _app(call: Call) -> tuple[App, Repo]:
    repo = call.repo("checks:write", "read")
    if call.actor.app is None:
        raise Refusal(403, "You must authenticate via a GitHub App.")
    return call.actor.app, repo


def _create(call: Call) -> Reply:
    state, (app, repo) = call.state, _app(call)
    sha = call.text("head_sha", of="CheckRun")
    name = call.text("name", of="CheckRun")
    if plumbing.resolve(repo.path, sha) != sha:
        raise Refusal(422, f"No commit found for SHA: {sha}")
    same = (c.suite for c in state.checks.values() if c.app is app and c.repo is repo and c.head_sha == sha)
    with state.change():
        suite = next(same, None) or state.next_id()
        check = Check(state.next_id(), repo, app, suite, name, sha, "queued", state.now())
        _set(call, check)
        state.checks[check.id] = check
        emit(state, "created", check, app.bot)
        if check.status == "completed":
            emit(state, "completed", check, app.bot)
    return Reply(view(state, check), 201)


def _one(call: Call, repo: Repo) -> Check:
    check = call.state.checks.get(call.number("check"))
    if check is None or check.repo is not repo:
        raise Refusal(404, "Not Found")
    return check


def _update(call: Call) -> Reply:
    state, (app, repo) = call.state, _app(call)
    check = _one(call, repo)
    if check.app is not app:
        raise Refusal(
            403, "Invalid app_id `" + str(app.id) + "` - check run can only be modified by its App."
        )
    with state.change():
        was = check.status
        _set(call, check)
        if check.status == "completed" != was:
            emit(state, "completed", check, app.bot)
    return Reply(view(state, check))


def _list(call: Call) -> Reply:
    repo, name = call.repo("checks:read"), call.query.get("check_name")
    sha = plumbing.resolve(repo.path, call.path["ref"])
    if sha is None:
        raise Refusal(422, f"No commit found for SHA: {call.path['ref']}")
    found = [
        check
        for check in reversed(call.state.checks.values())
        if check.repo is repo and check.head_sha == sha and name in (None, check.name)
    ]
    if call.query.get("filter", "latest") == "latest":
        newest: dict[tuple[int, str], Check] = {}
        for check in found:
            newest.setdefault((check.suite, check.name), check)
        found = list(newest.values())
    return call.page(found, lambda check: view(call.state, check), key="check_runs")


_AT = "/repos/{owner}/{repo}"
ROUTES: Routes = [
    ("POST", _AT + "/check-runs", _create),
    ("PATCH", _AT + "/check-runs/{check}", _update),
    ("GET", _AT + "/check-runs/{check}", lambda c: Reply(view(c.state, _one(c, c.repo("checks:read"))))),
    ("GET", _AT + "/commits/{ref:path}/check-runs", _list),
]
