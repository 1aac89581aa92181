"""Which targets of a request are applied now: not those that are done, nor those that need outputs of the others first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.refusal import Refusal
from bot.domain.run import Plan
from bot.domain.target import Target
from bot.services.applies.options import ApplyRequest
from bot.services.context import Context
from bot.services.order import inputs_for
from bot.services.targets import PullContext


@dataclass(frozen=True)
class Selection:
    """now: the targets to apply. unplanned: those among them whose latest commit has to be planned first. later: those that
    can only be planned once others are applied."""

    now: tuple[Target, ...]
    unplanned: list[Target]
    later: tuple[Target, ...] = ()


def select_now(context: Context, request: ApplyRequest, plans: Mapping[Target, Plan | None]) -> Selection:
    """Return what a request for `plans` applies now. Raises Refusal if nothing can be, for want of an input.

    A request for several targets leaves out those whose plan of the latest commit is applied already.
    """
    unplanned = [target for target, plan in plans.items() if _needs_plan(request.pull_context, target, plan)]
    missing = {
        target: refusal for target in unplanned if (refusal := _missing_input(context, request, target))
    }
    done = {target for target, plan in plans.items() if plan and _is_done(request, plan)}
    now = tuple(target for target in plans if target not in missing and target not in done)
    if missing and not now:
        raise next(iter(missing.values()))
    now = now or tuple(plans)
    return Selection(now, [target for target in unplanned if target in now], tuple(missing))


def _needs_plan(pull_context: PullContext, target: Target, plan: Plan | None) -> bool:
    """Whether the latest commit has to be planned first: there is no plan, or, where pushes are not planned by
    themselves, only one of an older commit or of a revert."""
    if plan is None:
        return True
    if plan.sync:
        return False
    other = plan.commit != pull_context.pull.head_sha or bool(plan.reverts)
    return other and not pull_context.policy.environments[target.environment].on_pull_request


def _is_done(request: ApplyRequest, plan: Plan) -> bool:
    return plan.status == "applied" and plan.commit == request.pull.head_sha and not plan.reverts


def _missing_input(context: Context, request: ApplyRequest, target: Target) -> Refusal | None:
    try:
        inputs_for(context, request.pull_context.policy, target)
    except Refusal as refusal:
        return refusal
    return None
