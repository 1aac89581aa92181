"""Check runs, which only Apps may create."""

from __future__ import annotations

from typing import Any

from bot.playground.github import git, views
from bot.playground.github.call import Call, Reply, Routes, validation_failed
from bot.playground.github.check_views import emit, view
from bot.playground.github.records import App, Check, Repo
from bot.playground.github.state import Refusal

STATUSES = ("queued", "in_progress", "completed")
CONCLUSIONS = ("action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out")
TEXT = 65535
"""GitHub's limit of bytes in a summary and in a text."""
ANNOTATIONS, MESSAGE = 50, 64 << 10
"""GitHub's limits of annotations in one request, and of bytes in the message of one."""
ACTION = {"label": 20, "description": 40, "identifier": 20}
"""GitHub's limits of characters in an action. A check has at most three actions."""


def _apply(call: Call, check: Check) -> None:
    """Apply a request's fields to a check. Raises Refusal 422 for invalid ones."""
    check.name = call.text("name", check.name, of="CheckRun")
    check.external_id = call.text("external_id", check.external_id, of="CheckRun")
    check.details_url = call.text("details_url", check.details_url, of="CheckRun")
    status = call.text("status", check.status, of="CheckRun")
    conclusion = call.text("conclusion", "", of="CheckRun")
    if status not in STATUSES or (conclusion and conclusion not in CONCLUSIONS):
        raise validation_failed("CheckRun", "status", "invalid")
    if status == "completed" and not (conclusion or check.conclusion):
        raise validation_failed("CheckRun", "conclusion", "missing_field")
    check.status = "completed" if conclusion else status
    check.conclusion = (conclusion or check.conclusion) if check.status == "completed" else None
    check.completed_at = call.state.now() if check.status == "completed" else None
    if "output" in call.body:
        output = _output(call.body["output"])
        check.annotations += _annotations(output.pop("annotations", []))
        check.output = {**check.output, **output}
    if "actions" in call.body:
        check.actions = _actions(call.body["actions"])


def _output(output: Any) -> dict[str, Any]:
    if not isinstance(output, dict) or not isinstance(output.get("summary"), str):
        raise validation_failed("CheckRun", "output", "missing_field")
    for key in ("summary", "text"):
        if len((output.get(key) or "").encode()) > TEXT:
            raise validation_failed("CheckRun", key, "custom", f"{key} exceeds a maximum bytesize of {TEXT}")
    if len(output.get("title") or "") > 255:
        raise validation_failed(
            "CheckRun", "title", "custom", "title is too long (maximum is 255 characters)"
        )
    return dict(output)


def _annotations(annotations: Any) -> list[dict[str, Any]]:
    """Return valid annotations. Each request adds to those that the check has."""
    if not isinstance(annotations, list) or len(annotations) > ANNOTATIONS:
        raise validation_failed("CheckRun", "annotations", "invalid")
    for one in annotations:
        lines = one.get("start_line"), one.get("end_line")
        if not all(isinstance(line, int) and line >= 1 for line in lines) or lines[0] > lines[1]:
            raise validation_failed("CheckRun", "annotations", "invalid")
        if one.get("annotation_level") not in ("notice", "warning", "failure"):
            raise validation_failed("CheckRun", "annotation_level", "invalid")
        if not one.get("path") or one["path"].startswith("/") or not one.get("message"):
            raise validation_failed("CheckRun", "annotations", "missing_field")
        if len(one["message"].encode()) > MESSAGE or len(one.get("title") or "") > 255:
            raise validation_failed("CheckRun", "annotations", "invalid", "message or title is too long")
    return annotations


def _actions(actions: Any) -> list[dict[str, str]]:
    if not isinstance(actions, list) or len(actions) > 3:
        raise validation_failed("CheckRun", "actions", "invalid")
    for action in actions:
        for key, most in ACTION.items():
            if not isinstance(action.get(key), str) or len(action[key]) > most:
                raise validation_failed(
                    "CheckRun", key, "custom", f"{key} is too long (maximum is {most} characters)"
                )
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
    if git.resolve(repo.path, sha) != sha:
        raise Refusal(422, f"No commit found for SHA: {sha}")
    same = (c.suite for c in state.checks.values() if c.app is app and c.repo is repo and c.head_sha == sha)
    with state.change():
        suite = next(same, None) or state.next_id()
        check = Check(state.next_id(), repo, app, suite, name, sha, "queued", state.now())
        _apply(call, check)
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
        before = check.status
        _apply(call, check)
        if check.status == "completed" != before:
            emit(state, "completed", check, app.bot)
    return Reply(view(state, check))


def _list_annotations(call: Call) -> Reply:
    check = _one(call, call.repo("checks:read"))
    blob = f"{views.repo_api(call.state, check.repo)}/git/blobs/"
    shown = {"start_column": None, "end_column": None, "title": None, "raw_details": None}
    return call.page(check.annotations, lambda one: {**shown, "blob_href": blob + check.head_sha, **one})


def _list(call: Call) -> Reply:
    repo, name = call.repo("checks:read"), call.query.get("check_name")
    sha = git.resolve(repo.path, call.path["ref"])
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


_PATH = "/repos/{owner}/{repo}"
ROUTES: Routes = [
    ("POST", _PATH + "/check-runs", _create),
    ("PATCH", _PATH + "/check-runs/{check}", _update),
    ("GET", _PATH + "/check-runs/{check}", lambda c: Reply(view(c.state, _one(c, c.repo("checks:read"))))),
    ("GET", _PATH + "/check-runs/{check}/annotations", _list_annotations),
    ("GET", _PATH + "/commits/{ref:path}/check-runs", _list),
]
