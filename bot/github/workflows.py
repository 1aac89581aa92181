"""Read GitHub Actions: the failed jobs of a commit, and their logs."""

from __future__ import annotations

from typing import Protocol

from bot.domain.why import WorkflowJob
from bot.github import scopes
from bot.github.download import download_end
from bot.github.fields import Fields
from bot.github.wire import Wire, parsed_list

FAILED = ("failure", "timed_out")
NO_START = "startup_failure"
"""GitHub's conclusion of a run whose workflow file it does not accept. It has neither jobs nor a log."""
RUNS, JOBS = 50, 100
"""Runs and jobs that are looked at: one page each. A commit with more of them is not looked through."""
MOST = 5
"""Failed runs whose jobs are read."""


class _Client(Protocol):
    wire: Wire


class Workflows:
    """The part of the Forge port that reads GitHub Actions. An App needs the permission Actions: read."""

    def failed_jobs(self: _Client, repository: str, head_sha: str) -> list[WorkflowJob]:
        scope, params = scopes.actions(repository), {"head_sha": head_sha, "per_page": str(RUNS)}
        answer = self.wire.send("GET", scope, "/actions/runs", params=params)
        newest: dict[tuple[int, str], Fields] = {}
        for run in parsed_list(answer, lambda data: data, "workflow_runs"):
            newest.setdefault((run.number("workflow_id"), run.text("event", "")), run)
        failed = [run for run in newest.values() if run.text("conclusion", "") in (*FAILED, NO_START)]
        return [job for run in failed[:MOST] for job in _jobs(self.wire, repository, run)]

    def job_log(self: _Client, repository: str, job_id: int, most: int) -> str:
        url = self.wire.location(scopes.actions(repository), f"/actions/jobs/{job_id}/logs")
        end = download_end(url, most)
        if len(end) == most:  # what is left of a line, or of a secret that was in it, is not shown
            end = end.partition(b"\n")[2]
        return end.decode(errors="replace").replace("\0", "\ufffd")


def _jobs(wire: Wire, repository: str, run: Fields) -> list[WorkflowJob]:
    if run.text("conclusion", "") == NO_START:
        return [_unstarted(run)]
    path = f"/actions/runs/{run.number('id')}/jobs"
    params = {"filter": "latest", "per_page": str(JOBS)}
    answer = wire.send("GET", scopes.actions(repository), path, params=params)
    jobs = parsed_list(answer, lambda data: _job(data, run.text("name", "")), "jobs")
    return [job for job in jobs if job.conclusion in FAILED]


def _unstarted(run: Fields) -> WorkflowJob:
    name, file = run.text("name", ""), run.text("path", "")
    return WorkflowJob(0, run.number("id"), name, file or "workflow", NO_START, run.text("html_url", ""))


def _job(data: Fields, workflow: str) -> WorkflowJob:
    failed = [step for step in data.items("steps") if step.text("conclusion", "") in FAILED]
    first = failed[0] if failed else None
    return WorkflowJob(
        data.number("id"),
        data.number("run_id"),
        workflow,
        data.text("name"),
        data.text("conclusion", ""),
        data.text("html_url", ""),
        tuple(step.text("name") for step in failed),
        first.time("started_at") if first and first.has("started_at") else None,
        first.time("completed_at") if first and first.has("completed_at") else None,
    )
