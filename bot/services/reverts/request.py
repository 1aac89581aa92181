"""Reverts: return an environment to an earlier release, by a plan that people read and that is applied exactly."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.actors import Actor
from bot.domain.chat import Notice, Result, RunsStarted
from bot.domain.refusal import require
from bot.domain.release import Release
from bot.domain.run import Origin, Plan
from bot.domain.target import Target
from bot.services.applies import REPLANNED, ApplyOptions, ApplyRequest, apply_run_id, attempt_apply, reply
from bot.services.context import Context
from bot.services.plans import PlanRequest, RevertTarget, choose_release, plan_run_id, request_plans
from bot.services.promotion import may_plan
from bot.services.targets import PullContext


@dataclass(frozen=True)
class RevertRequest:
    """One request to revert. release: id, commit or serial; None means the last verified one. losing: how many resources
    the requester says are lost for good; it must be typed, and right, where there are any."""

    pull_context: PullContext
    target: Target
    actor: Actor
    origin: Origin
    release: str | None = None
    losing: int | None = None

    @property
    def seed(self) -> str:
        """What asked for the revert's plan."""
        return f"{self.origin.id}:revert"


def request_revert(context: Context, request: RevertRequest) -> Result:
    """Plan the revert and show it; asked again, apply exactly that plan, with the approval that it needs."""
    target, number = request.target, request.pull_context.pull.number
    with context.store.read() as tables:
        plan = tables.plans.newest(target, number)
        applying = tables.runs.get(apply_run_id(request.origin, target))
        planning = tables.runs.get(plan_run_id(request.seed, target))
        planned_to = tables.releases.get(planning.reverts) if planning else None
    if applying is not None:  # entered again after a crash
        return RunsStarted((applying,), {})
    if planned_to is not None:  # the same, for the plan of the revert
        return _planning(planned_to, target)
    if plan is None or not _is_shown(context, request, plan):
        return _plan_revert(context, request)
    options = ApplyOptions(revert=True, losing=request.losing)
    outcome = attempt_apply(
        context, ApplyRequest(request.pull_context, (target,), request.actor, request.origin, options)
    )
    if outcome.refusal is not None and outcome.refusal.code in REPLANNED:
        return _plan_revert(context, request)
    return reply(context, outcome)


def _is_shown(context: Context, request: RevertRequest, plan: Plan) -> bool:
    """Whether this is the plan that people read: of the release that is named now, or of any where none is."""
    if plan.status != "fresh" or not plan.reverts:
        return False
    return request.release is None or plan.reverts == _release(context, request).to.id


def _release(context: Context, request: RevertRequest) -> RevertTarget:
    return choose_release(context, request.target, request.release)


def _plan_revert(context: Context, request: RevertRequest) -> Result:
    revert_to = _release(context, request)
    require(may_plan(context, request.pull_context, request.target, request.actor))
    wanted = PlanRequest(
        request.pull_context, (request.target,), request.actor, request.origin, request.seed, revert_to
    )
    request_plans(context, wanted)
    return _planning(revert_to.to, request.target)


def _planning(to: Release, target: Target) -> Notice:
    number = f" of #{to.pull}" if to.pull else ""
    return Notice(
        f"Planning a revert of {target} to `{to.commit[:7]}`{number} (release `{to.id[:8]}`, serial "
        f"{to.serial}).",
        "Review it, then run the command shown in the table.",
    )
