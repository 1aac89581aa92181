"""Apply a reviewed plan in GitHub Actions, after the bot's gates."""

from __future__ import annotations

import json
from pathlib import Path

from bot.domain.actions import ReviewedPlan
from bot.domain.ports.terraform import CommandResult, Progress
from bot.domain.run import Plan, Run
from bot.domain.runner import RunnerRequest, RunnerResult
from bot.services.applies import FinishedApply, record_apply, record_state
from bot.services.context import Context
from bot.services.directories import journal_of
from bot.services.runner.follow import START_WITHIN, Followed, hand_over
from bot.services.runs import ProgressRecorder, RunEnd, finish_run, interrupt_run, replan_command
from bot.services.states import UNSAVED_NAME
from bot.services.targets import default_policy


def apply_elsewhere(context: Context, run: Run, plan: Plan) -> None:
    """Let a job apply the plan, and record what that left. The journal row is committed; called again after a crash, it
    follows the same job."""
    policy = default_policy(context, run.target.repository)
    environment = policy.environments.get(run.target.environment) if policy else None
    with context.store.read() as tables:
        reviewed = ReviewedPlan(**json.loads(tables.plans.file(plan.id)))
        run = tables.runs.get(run.id) or run
    request = RunnerRequest(
        run.id,
        "apply",
        run.target,
        run.pull,
        plan.commit,
        plan.policy,
        context.now() + START_WITHIN,
        plan.lineage,
        plan.serial,
        reviewed,
        main=bool(plan.sync),
    )
    timeout = environment.timeout if environment else START_WITHIN
    with ProgressRecorder(context, run, journal_of(context, run), timeout, context.hidden) as recorder:
        followed = hand_over(context, run, request, recorder.control)
        for line in followed.result.log if followed.result else ():
            recorder.control.on_progress(Progress(line=line))
    _record(context, run, plan, followed)


def _record(context: Context, run: Run, plan: Plan, followed: Followed) -> None:
    result = followed.result
    backend = context.backends.restore(plan.backend)
    if result is None:
        record_state(context, run, backend)
        why = f"[The job]({followed.url}) ended without a result ({followed.conclusion})"
        interrupt_run(context, run, why, terminated=True)
        return
    if result.outcome == "refused":
        with context.store.begin() as tables:
            tables.plans.take(plan.id, "applying", "failed")
        next_step = result.next_step or replan_command(run)
        finish_run(context, run, RunEnd("refused", message=result.message, next_step=next_step))
        return
    if result.unsaved is not None:  # where `record_apply` looks for it
        root = Path(plan.root)
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        (root / UNSAVED_NAME).write_bytes(result.unsaved)
    record_apply(context, run, plan, FinishedApply(backend, _ended(result)))


def _ended(result: RunnerResult) -> CommandResult:
    return CommandResult(
        result.exit_code,
        "\n".join(result.log),
        interrupted=result.interrupted,
        timed_out=result.timed_out,
        diagnostics=(result.message,) if result.message else (),
    )
