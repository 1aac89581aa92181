"""Carry out a sync: plan the default branch in an environment, then decide what to do with the plan."""

from __future__ import annotations

from bot.domain.run import ACTIVE, Run
from bot.services.context import Context, show_run
from bot.services.plans import run_plan
from bot.services.runs import RunEnd, finish_run
from bot.services.sync.branch import branch_context
from bot.services.sync.conclude import conclude
from bot.services.targets import default_policy

FRESH = 5.0
"""Seconds for which GitHub's last answer is fresh enough for a plan; an apply asks again."""


def execute_sync(context: Context, run_id: str) -> None:
    """Carry out a sync. Safe to repeat after a crash: a plan that was made is not made again."""
    with context.store.begin() as tables:
        run = tables.runs.get(run_id)
        if run is None:
            return
        if run.active:
            tables.runs.move(run_id, ACTIVE, "preparing", worker=context.worker, started_at=context.now())
            show_run(tables, context.now(), run, urgent=False)
    if run.active:
        _plan(context, run)
    conclude(context, run_id)


def _plan(context: Context, run: Run) -> None:
    repository, target = run.target.repository, run.target
    policy = default_policy(context, repository, FRESH)
    stack = policy.stacks.get(target.stack) if policy else None
    if policy is None or stack is None or target.environment not in policy.environments:
        message = f"`{target}` is no longer in the policy."
        finish_run(context, run, RunEnd("refused", message=message))
        return
    delegate = context.delegate_of(policy, target)
    if delegate is not None:
        delegate.plan(context, run)
        return
    run_plan(context, run, branch_context(context, policy, run, FRESH))
