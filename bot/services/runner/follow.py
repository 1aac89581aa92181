"""Let a workflow of GitHub Actions carry out a run: start it once, find it, follow it to its end, and collect its result."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain.ports.forge import ForgeError
from bot.domain.ports.terraform import Control, Progress
from bot.domain.refusal import Refusal
from bot.domain.run import Run
from bot.domain.runner import (
    RunnerRequest,
    RunnerResult,
    WorkflowRun,
    read_result,
    sealed_for,
    write_request,
)
from bot.services.context import Context, Delegate

FILE = "terraform-run.yml"
START_WITHIN = timedelta(hours=1)
"""How long a job may wait for a runner. A request that is older is refused by the job."""
APPEARS_WITHIN = timedelta(minutes=2)
"""How long GitHub may take to list a run that was dispatched; it usually takes seconds."""
SKEW = timedelta(minutes=1)
"""How much GitHub's clock may be behind."""
EVERY, MOST = 2.0, 15.0
"""Seconds between two looks, at first and at most: an hour takes 250 requests of the 5,000 that an App has."""
NOT_THERE = (401, 403, 404, 410)
"""Statuses of a download that do not change by asking again."""
NOT_STARTED = (403, 404, 422, 429)
"""Statuses with which GitHub says that it started nothing."""


@dataclass(frozen=True)
class Followed:
    """How a workflow run ended. result: what it handed back, None if it ended without. stopped: whether the bot cancelled
    it. url: for people."""

    result: RunnerResult | None
    conclusion: str
    stopped: bool
    url: str


def hand_over(context: Context, run: Run, request: RunnerRequest, control: Control) -> Followed:
    """Carry out `request` in GitHub Actions, and return how that ended. After a crash or an outage it goes on where it was;
    a run is dispatched at most once.

    Raises Refusal if GitHub did not start it or handed back something forged, and ForgeError while GitHub does not answer.
    """
    delegate = context.delegate
    if delegate is None or not delegate.key:
        raise Refusal(
            "no-actions-key",
            "The bot has no key for GitHub Actions, so nothing was started there.",
            "Let your operator set TOWPATH_ACTIONS_KEY, see docs/actions.md.",
        )
    if run.dispatched_at is None:
        run = _dispatch(context, run, request, delegate.key)
    ended, stopped = _follow(context, _find(context, run, control), run, control)
    return Followed(_result(context, delegate, ended, request), ended.conclusion, stopped, ended.url)


def _dispatch(context: Context, run: Run, request: RunnerRequest, key: str) -> Run:
    """Start the workflow of the default branch, whose code was reviewed. That it was asked for is recorded first, so that it
    is never asked for twice."""
    repository = run.target.repository
    line = write_request(request, key)
    inputs = {"run": run.id, "job": job_name(request), "request": line}
    now = context.now()
    with context.store.begin() as tables:
        tables.runs.update(run.id, dispatched_at=now)
    try:
        branch = context.known(repository).default_branch
        context.forge.dispatch_workflow(repository, FILE, branch, inputs)
    except ForgeError as error:
        if error.status not in NOT_STARTED:
            return replace(run, dispatched_at=now)  # it may have arrived: look for it
        with context.store.begin() as tables:
            tables.runs.update(run.id, dispatched_at=None)
        if error.status == 429:
            raise
        raise Refusal(
            "not-dispatched",
            f"GitHub did not start `{FILE}`: {error}",
            "Check that the default branch has it (`towpath setup actions`), and that the App may write Actions.",
        ) from error
    return replace(run, dispatched_at=now)


def job_name(request: RunnerRequest) -> str:
    """Return what the workflow's jobs are selected by."""
    return f"{request.phase} {request.target.environment} {request.target.stack}"


def _find(context: Context, run: Run, control: Control) -> WorkflowRun:
    """Return the workflow run. Others can start the workflow too, under any name: only the bot's own counts."""
    repository = run.target.repository
    if run.workflow_run:
        return context.forge.workflow_run(repository, run.workflow_run)
    asked = run.dispatched_at or context.now()
    me, branch = context.forge.me(), context.known(repository).default_branch
    while True:
        for found in context.forge.dispatched_runs(repository, FILE, asked - SKEW):
            if run.id in found.title.split() and (found.actor, found.branch) == (me, branch):
                with context.store.begin() as tables:
                    tables.runs.update(run.id, workflow_run=found.id)
                control.on_progress(Progress(line=f"In GitHub Actions: {found.url}"))
                return found
        if context.now() > asked + APPEARS_WITHIN:
            raise Refusal(
                "not-found",
                f"GitHub was asked to run `{FILE}`, but no such run appeared.",
                "Look at https://www.githubstatus.com, then try again.",
            )
        time.sleep(EVERY)


def _follow(context: Context, found: WorkflowRun, run: Run, control: Control) -> tuple[WorkflowRun, bool]:
    """Return the workflow run once it is completed, and whether it was cancelled for us."""
    pause, stopped, shown = EVERY, False, ""
    while not found.completed:
        if found.status != shown:
            shown = found.status
            control.on_progress(Progress(line=f"GitHub Actions: {shown.replace('_', ' ')}"))
            _show_phase(context, run, found)
        if not stopped and control.cancelled():
            stopped = True
            try:
                context.forge.cancel_workflow(run.target.repository, found.id)
            except ForgeError as error:
                if error.status != 409:
                    raise
        time.sleep(pause)
        pause = min(pause * 1.2, MOST)
        found = context.forge.workflow_run(run.target.repository, found.id)
    return found, stopped


def _show_phase(context: Context, run: Run, found: WorkflowRun) -> None:
    if run.kind == "plan" and found.started:
        with context.store.begin() as tables:
            tables.runs.move(run.id, ("preparing", "initialising"), "planning")


def _result(
    context: Context, delegate: Delegate, ended: WorkflowRun, request: RunnerRequest
) -> RunnerResult | None:
    name = f"result-{request.run_id}"
    try:
        sealed = context.forge.workflow_artifact(request.target.repository, ended.id, name)
    except ForgeError as error:
        if error.status in NOT_THERE or error.retry_after is not None:
            raise
        raise ForgeError(
            str(error), status=error.status, retry_after=EVERY
        ) from error  # it is there: ask again
    if sealed is None:
        return None
    try:
        return read_result(delegate.unseal(sealed, sealed_for(request.run_id, request.phase)))
    except ValueError as error:
        raise Refusal(
            "forged-result",
            f"[The job]({ended.url}) handed back something that is not sealed with the bot's key, so it does not count.",
            "Give the bot and the workflow the same key (docs/actions.md), or find out who changed the artifact.",
        ) from error
