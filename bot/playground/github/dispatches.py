"""GitHub Actions: workflows that are started by a dispatch, their runs to follow and cancel, and their artifacts."""

from __future__ import annotations

import re
import secrets
from typing import Any

from bot.playground.github import git, views
from bot.playground.github.call import Call, Reply, Routes, validation_failed
from bot.playground.github.state import Refusal
from bot.playground.github.workflow_records import WorkflowRun
from bot.playground.github.workflows import LOG_LIFE, run_view

MOST_INPUTS, LONGEST_INPUTS = 25, 65_535
"""GitHub's limits: inputs, and characters of all of them."""
_RUN_NAME = re.compile(r"^run-name: *(.+)$", re.MULTILINE)
_INPUT = re.compile(r"\$\{\{ *inputs\.([\w-]+) *\}\}")


def _dispatch(call: Call) -> Reply:
    repo, state, file = call.repo("actions:write", role="write"), call.state, call.path["file"]
    branch, inputs = call.text("ref"), call.body.get("inputs") or {}
    commit = git.resolve(repo.path, f"refs/heads/{branch}")
    if not commit:
        raise Refusal(422, f"No ref found for: {branch}")
    path = f"{commit}:.github/workflows/{file}"
    text = git.run(repo.path, "cat-file", "blob", path, ok=(0, 128)).decode()
    if not text:
        raise Refusal(404, "Not Found")
    if "workflow_dispatch:" not in text:
        raise Refusal(422, "Workflow does not have 'workflow_dispatch' trigger")
    if len(inputs) > MOST_INPUTS or sum(len(str(one)) for one in inputs.values()) > LONGEST_INPUTS:
        raise validation_failed("WorkflowDispatch", "inputs", "custom", "inputs are too large.")
    unknown = [name for name in inputs if f"\n      {name}:\n" not in text]
    if unknown:
        raise Refusal(422, f"Unexpected inputs provided: {unknown}")
    named = _RUN_NAME.search(text)
    title = _INPUT.sub(lambda found: inputs.get(found[1], ""), named[1]) if named else ""
    name = file.removesuffix(".yml")
    with state.change():
        earlier = [one for one in state.workflow_runs.values() if (one.repo, one.workflow) == (repo, name)]
        run = WorkflowRun(
            state.next_id(),
            repo,
            name,
            earlier[0].workflow_id if earlier else state.next_id(),
            len(earlier) + 1,
            commit,
            branch,
            "workflow_dispatch",
            state.now(),
            title=title,
            actor=call.user,
            status="queued",
            inputs=dict(inputs),
        )
        state.workflow_runs[run.id] = run
    return Reply(status=204, raw=b"")


def _runs_of_workflow(call: Call) -> Reply:
    repo, name = call.repo("actions:read"), call.path["file"].removesuffix(".yml")
    found = [
        run
        for run in reversed(call.state.workflow_runs.values())
        if (run.repo, run.workflow) == (repo, name) and call.query.get("event") in (None, run.event)
    ]
    return call.page(found, lambda run: run_view(call.state, run), key="workflow_runs")


def _run(call: Call, permission: str = "actions:read", role: str = "read") -> WorkflowRun:
    repo = call.repo(permission, role)
    run = call.state.workflow_runs.get(call.number("run"))
    if run is None or run.repo is not repo:
        raise Refusal(404, "Not Found")
    return run


def _one(call: Call) -> Reply:
    return Reply(run_view(call.state, _run(call)))


def _cancel(call: Call) -> Reply:
    """GitHub accepts it, and cancels a moment later."""
    run = _run(call, "actions:write", "write")
    if run.status == "completed":
        raise Refusal(409, "Cannot cancel a workflow run that is completed.")
    with call.state.change():
        run.cancelled = True
    return Reply({}, status=202)


def _artifacts(call: Call) -> Reply:
    run, wanted = _run(call), call.query.get("name")
    found = [(name, *one) for name, one in run.artifacts.items() if wanted in (None, name)]

    def view(one: tuple[str, int, bytes]) -> dict[str, Any]:
        name, number, packed = one
        url = f"{views.repo_api(call.state, run.repo)}/actions/artifacts/{number}"
        at = views.timestamp(run.created_at)
        return {
            "id": number,
            "node_id": f"A_{number}",
            "name": name,
            "size_in_bytes": len(packed),
            "url": url,
            "archive_download_url": f"{url}/zip",
            "expired": False,
            "created_at": at,
            "updated_at": at,
            "expires_at": at,
        }

    return call.page(found, view, key="artifacts")


def _archive(call: Call) -> Reply:
    """Redirect to the archive's address, on another server."""
    repo, state, number = call.repo("actions:read"), call.state, call.number("artifact")
    packed = [
        content
        for run in state.workflow_runs.values()
        if run.repo is repo
        for known, content in run.artifacts.values()
        if known == number
    ]
    if not packed:
        raise Refusal(404, "Not Found")
    key = secrets.token_urlsafe(16)
    state.log_addresses[key] = (packed[0], state.now() + LOG_LIFE)
    return Reply(raw=b"", status=302, headers={"location": f"{state.url}/_stored/logs/{key}"})


_PATH = "/repos/{owner}/{repo}/actions"
ROUTES: Routes = [
    ("POST", _PATH + "/workflows/{file}/dispatches", _dispatch),
    ("GET", _PATH + "/workflows/{file}/runs", _runs_of_workflow),
    ("GET", _PATH + "/runs/{run}", _one),
    ("POST", _PATH + "/runs/{run}/cancel", _cancel),
    ("GET", _PATH + "/runs/{run}/artifacts", _artifacts),
    ("GET", _PATH + "/artifacts/{artifact}/zip", _archive),
]
