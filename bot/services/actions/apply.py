"""Apply the reviewed plan after its merge: plan again, compare, and apply only what is the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.domain.actions import difference, reviewed_plan
from bot.domain.actors import SYSTEM
from bot.domain.approvals import missing_approvals
from bot.domain.refusal import Refusal
from bot.domain.run import Origin, Plan, Run
from bot.services.actions.inputs import record_input_states
from bot.services.actions.merged import MergeApply
from bot.services.applies import ApplyRequest, attempt_apply
from bot.services.approvals import approval_state
from bot.services.context import Context
from bot.services.plans import PlanRequest, plan_run_id, request_plans

AGAIN = "Re-run this job when that has changed."
"""What to do about a gate's refusal: the gates propose chat commands, for which nobody listens here."""


@dataclass(frozen=True)
class Workshop:
    """How queued runs are carried out here. carry_out: runs what is queued, to its end. changes: run id → what its plan
    does, see bot.domain.actions.planned_changes."""

    carry_out: Callable[[], None]
    changes: Mapping[str, Mapping[str, str]]


def apply_merge(context: Context, merge: MergeApply, workshop: Workshop, seed: str) -> Run:
    """Apply what was reviewed, and return the run that ended last: the apply, or the plan if that failed.

    Raises Refusal if the new plan differs from the reviewed one, if a gate refuses, or if an approval is missing.
    """
    target, pull = merge.target, merge.pull_context.pull
    origin = Origin(delivery=seed)
    record_input_states(context, merge.pull_context.policy, [target])
    request_plans(context, PlanRequest(merge.pull_context, (target,), SYSTEM, origin, seed, limited=False))
    workshop.carry_out()
    planned = plan_run_id(seed, target)
    with context.store.read() as tables:
        run, plan = tables.runs.get(planned), tables.plans.get(planned)
    if run is None:
        raise LookupError(f"no run {planned}")
    if plan is None:
        return run
    _refuse_difference(merge, plan, workshop.changes[planned])
    with context.store.begin() as tables:
        tables.plans.publish((plan.id,), merge.shown_at)  # the same plan: a review of it was given since then
    outcome = attempt_apply(context, ApplyRequest(merge.pull_context, (target,), SYSTEM, origin))
    if outcome.refusal is not None:
        raise Refusal(outcome.refusal.code, outcome.refusal.fact, AGAIN)
    for approval in outcome.opened:
        with context.store.read() as tables:
            missing = approval_state(tables, approval).missing
        raise Refusal(
            "unapproved",
            f"{target} still needs {missing_approvals(approval, missing)}.",
            f"Approve `{pull.head_sha[:7]}` in a review of #{pull.number}, then re-run this job.",
        )
    workshop.carry_out()
    with context.store.read() as tables:
        done = tables.runs.newest(target, pull=pull.number, kind="apply")
    if done is None:
        raise LookupError(f"no apply of {target}")
    return done


def _refuse_difference(merge: MergeApply, plan: Plan, changes: Mapping[str, str]) -> None:
    if plan.tree != merge.tree:
        raise Refusal("other-files", f"The files of `{plan.commit[:7]}` are not those that were reviewed.")
    found = difference(merge.reviewed, reviewed_plan(changes, merge.key))
    if found:
        raise Refusal(
            "plan-differs",
            f"The plan for {plan.target} is not the one that was reviewed, so nothing was applied. {found.text}",
            "Open a pull request, read its new plan, and merge it.",
        )
