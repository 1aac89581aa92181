"""GitHub Actions: runs of workflows, their jobs, and the jobs' logs behind short-lived addresses."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from bot.playground.github import views
from bot.playground.github.call import Call, Reply, Routes
from bot.playground.github.state import Refusal, State
from bot.playground.github.workflow_records import Job, WorkflowRun, WorkflowStep

LOG_LIFE = timedelta(minutes=1)
"""GitHub: the address of a log expires after a minute."""


def written_log(steps: tuple[WorkflowStep, ...], job: Job) -> bytes:
    """Return a job's log as GitHub's runner writes it: each line with its time, errors marked."""
    lines = []
    for number, step in enumerate(steps, 1):
        at = job.times_of(number)[0] + timedelta(seconds=1)
        text = [f"##[group]Run {step.name}", "##[endgroup]", *step.lines]
        if step.conclusion != "success":
            text.append("##[error]Process completed with exit code 1.")
        lines += [f"{at:%Y-%m-%dT%H:%M:%S}.{index:07d}Z {one}" for index, one in enumerate(text)]
    return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()


def run_view(state: State, run: WorkflowRun) -> dict[str, Any]:
    api = f"{views.repo_api(state, run.repo)}/actions"
    url = f"{api}/runs/{run.id}"
    return {
        "id": run.id,
        "node_id": f"WFR_{run.id}",
        "name": run.workflow,
        "display_title": run.title or run.workflow,
        "path": f".github/workflows/{run.workflow.lower()}.yml",
        **({"actor": views.user(state, run.actor)} if run.actor else {}),
        "head_branch": run.branch,
        "head_sha": run.sha,
        "run_number": run.number,
        "run_attempt": 1,
        "event": run.event,
        "status": run.status,
        "conclusion": run.conclusion,
        "workflow_id": run.workflow_id,
        "url": url,
        "html_url": f"{state.url}/{run.repo.full_name}/actions/runs/{run.id}",
        "created_at": views.timestamp(run.created_at),
        "updated_at": views.timestamp(run.created_at),
        "pull_requests": [],
        "head_commit": None,
        "repository": views.repo(state, run.repo),
        "head_repository": views.repo(state, run.repo),
        "workflow_url": f"{api}/workflows/{run.workflow_id}",
        "check_suite_url": f"{views.repo_api(state, run.repo)}/check-suites/{run.id}",
        **{f"{name}_url": f"{url}/{name}" for name in ("jobs", "logs", "cancel", "rerun", "artifacts")},
    }


def _job_view(state: State, run: WorkflowRun, job: Job) -> dict[str, Any]:
    api = views.repo_api(state, run.repo)
    return {
        "id": job.id,
        "node_id": f"CR_{job.id}",
        "run_id": run.id,
        "run_url": f"{api}/actions/runs/{run.id}",
        "run_attempt": 1,
        "head_sha": run.sha,
        "head_branch": run.branch,
        "workflow_name": run.workflow,
        "name": job.name,
        "url": f"{api}/actions/jobs/{job.id}",
        "html_url": f"{state.url}/{run.repo.full_name}/actions/runs/{run.id}/job/{job.id}",
        "check_run_url": f"{api}/check-runs/{job.id}",
        "status": "completed",
        "conclusion": job.conclusion,
        "created_at": views.timestamp(run.created_at),
        "started_at": views.timestamp(job.started_at),
        "completed_at": views.timestamp(job.times_of(len(job.steps))[1]),
        "labels": ["ubuntu-latest"],
        "runner_id": 1,
        "runner_name": "GitHub Actions 1",
        "runner_group_id": 0,
        "runner_group_name": "GitHub Actions",
        "steps": [
            {
                "name": step.name,
                "status": "completed",
                "conclusion": step.conclusion,
                "number": number,
                "started_at": views.timestamp(job.times_of(number)[0]),
                "completed_at": views.timestamp(job.times_of(number)[1]),
            }
            for number, step in enumerate(job.steps, 1)
        ],
    }


def _runs(call: Call) -> Reply:
    repo, query, state = call.repo("actions:read"), call.query, call.state
    found = [
        run
        for run in reversed(state.workflow_runs.values())
        if run.repo is repo
        and query.get("head_sha") in (None, run.sha)
        and query.get("event") in (None, run.event)
        and query.get("status") in (None, run.status, run.conclusion)
    ]
    return call.page(found, lambda run: run_view(state, run), key="workflow_runs")


def _jobs(call: Call) -> Reply:
    repo = call.repo("actions:read")
    run = call.state.workflow_runs.get(call.number("run"))
    if run is None or run.repo is not repo:
        raise Refusal(404, "Not Found")
    return call.page(run.jobs, lambda job: _job_view(call.state, run, job), key="jobs")


def _log(call: Call) -> Reply:
    """Redirect to the log's address. GitHub keeps logs on another server."""
    repo, state, number = call.repo("actions:read"), call.state, call.number("job")
    jobs = (job for run in state.workflow_runs.values() if run.repo is repo for job in run.jobs)
    job = next((job for job in jobs if job.id == number), None)
    if job is None:
        raise Refusal(404, "Not Found")
    if job.log is None:
        raise Refusal(410, "Server Error")
    key = secrets.token_urlsafe(16)
    state.log_addresses[key] = (job.log, state.now() + LOG_LIFE)
    return Reply(raw=b"", status=302, headers={"location": f"{state.url}/_stored/logs/{key}"})


def _stored(call: Call) -> Reply:
    """Return a log. Like the store that GitHub uses, this refuses whoever sends credentials of another service."""
    if call.actor.user is not None or call.actor.app is not None:
        raise Refusal(400, "Authentication information is not given in the correct format.")
    log, expires = call.state.log_addresses.get(call.path["key"], (b"", call.state.now()))
    if expires <= call.state.now():
        raise Refusal(
            403, "Server failed to authenticate the request. Signature not valid in the specified time frame."
        )
    return Reply(raw=log)


_PATH = "/repos/{owner}/{repo}/actions"
ROUTES: Routes = [
    ("GET", _PATH + "/runs", _runs),
    ("GET", _PATH + "/runs/{run}/jobs", _jobs),
    ("GET", _PATH + "/jobs/{job}/logs", _log),
    ("GET", "/_stored/logs/{key}", _stored),
]
