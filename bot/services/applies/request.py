"""A request to apply, from a command: the reviewed plan of each target, once, with the approval that it needs."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.chat import Result, RunsStarted
from bot.domain.gates import refuse_locked
from bot.domain.refusal import Refused, require
from bot.domain.target import Target
from bot.services.applies.attempt import Attempted, attempt_apply
from bot.services.applies.options import ApplyRequest
from bot.services.applies.prerequisites import approval_requested, plan_first
from bot.services.applies.queue import apply_run_id, record_refusal
from bot.services.applies.selection import select_now
from bot.services.context import Context


def request_apply(context: Context, request: ApplyRequest) -> Result:
    """Claim the targets for the pull request and queue an apply of each one's plan; or ask for the approval that is
    missing; or say why not.

    Without a plan, one is made and shown, and the apply waits for a second request or for approval: nobody has read it
    yet. All targets or none: a refusal of one stops the others before anything is claimed.
    """
    with context.store.read() as tables:
        made = [
            run
            for target in request.targets
            if (run := tables.runs.get(apply_run_id(request.origin, target)))
        ]
        plans = {target: tables.plans.newest(target, request.pull.number) for target in request.targets}
    if made:  # entered again after a crash
        return RunsStarted(tuple(made), {})
    selected = select_now(context, request, plans)
    request = replace(request, targets=selected.now)
    if selected.unplanned:
        require(_refuse_claimed(context, request, selected.unplanned))
        return plan_first(context, request, selected.unplanned)
    result = reply(context, attempt_apply(context, request))
    return replace(result, later=selected.later) if isinstance(result, RunsStarted) else result


def reply(context: Context, outcome: Attempted) -> Result:
    """Return the answer to a request to apply or revert. Raises Refusal."""
    require(outcome.refusal)
    if outcome.opened:
        return approval_requested(context, outcome.opened)
    waits_behind = {run.target.key: running for run, running in outcome.queued if running}
    return RunsStarted(tuple(run for run, _ in outcome.queued), waits_behind)


def _refuse_claimed(context: Context, request: ApplyRequest, targets: list[Target]) -> Refused | None:
    """Nobody is asked to approve what another pull request's lock refuses anyway."""
    environments = request.pull_context.policy.environments
    asking = [
        one for one in targets if environments[one.environment].approval_rules and not request.options.forced
    ]
    if not asking:
        return None
    with context.store.begin() as tables:
        for target in asking:
            lock = tables.locks.get(target)
            if lock is not None and lock.bars(request.pull.number, context.now()):
                return record_refusal(context, tables, request, target, refuse_locked(lock, target))
    return None
