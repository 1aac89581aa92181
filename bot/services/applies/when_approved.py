"""Applies requested `when-approved`: start them when the last decision is in, or when time has lifted what stopped them."""

from __future__ import annotations

from dataclasses import replace

import structlog

from bot.domain.actors import Actor
from bot.domain.approvals import Approval, missing_approvals
from bot.domain.chat import Notice, Result
from bot.domain.ports.forge import ForgeError
from bot.domain.refusal import Refusal
from bot.domain.run import Plan
from bot.domain.states import StateVersion
from bot.errors import TransientError, UserError
from bot.services.applies.attempt import attempt_apply
from bot.services.applies.options import ApplyOptions, ApplyRequest
from bot.services.applies.queue import apply_run_id
from bot.services.approvals import (
    Decided,
    GivenDecision,
    approval_state,
    decide,
    end_approval,
    end_outdated_approvals,
    outdated_because,
)
from bot.services.context import Context, show_pull
from bot.services.promotion import waits
from bot.services.targets import load_pull_context, readable_policy

log = structlog.get_logger()

FRESH = 60.0
"""Seconds for which the last policy read is fresh enough to decide whether an approval still waits."""


def tend_approvals(context: Context) -> None:
    """End expired approvals; retry applies that wait for a soak time, a freeze or a queue to end. Called by the clock."""
    for approval in _needing_attention(context):
        try:
            _tend(context, approval)
        except (ForgeError, TransientError, UserError) as error:
            log.warning("an approval is looked after later", approval=approval.id, error=str(error)[:200])


def refresh_gates(context: Context) -> None:
    """Refresh gate checks, which change with time alone (a soak, a freeze, an expiry). Called by the clock."""
    with context.store.begin() as tables:
        for repository in tables.pulls.repositories():
            for pull in tables.pulls.open(repository.name):
                if tables.surfaces.get(f"gate:{pull.repository}#{pull.number}") is not None:
                    show_pull(tables, context.now(), pull.repository, pull.number, urgent=False)


def _needing_attention(context: Context) -> list[Approval]:
    """Return the live approvals that may need work, judged from rows: usually none, and each further step is a writing
    transaction."""
    with context.store.read() as tables:
        live = tables.approvals.all_live()
        repositories = {one.target.repository for one in live}
        pulls = {
            (pull.repository, pull.number): pull for name in repositories for pull in tables.pulls.open(name)
        }
        plans = tables.plans.known(one.run_id for one in live)
        states = tables.states.newest_of(one.target.key for one in live)
    return [
        one
        for one in live
        if (one.when_approved and one.status == "open")
        or one.expired(context.now())
        or outdated_because(one, pulls.get((one.target.repository, one.pull)))
        or _overtaken(plans.get(one.run_id), states.get(one.target.key))
    ]


def _overtaken(plan: Plan | None, state: StateVersion | None) -> str:
    """Return why the plan can no longer be applied; "" while it can, or is still being made."""
    if plan is None:
        return ""
    if plan.status not in ("fresh", "applying"):
        return "it was planned again" if plan.status == "superseded" else "its plan was used"
    if state is None or plan.backend["kind"] != "http":
        return ""
    same = (state.lineage, state.serial) == (plan.lineage, plan.serial)
    return "" if same else "the state there has changed since its plan"


def _tend(context: Context, approval: Approval) -> None:
    policy = readable_policy(context, approval.target.repository, FRESH)
    with context.store.begin() as tables:
        pull = tables.pulls.get(approval.target.repository, approval.pull)
        if pull is not None:
            end_outdated_approvals(context, tables, pull)
        have = tables.approvals.get(approval.id)
        if have is None or not have.live:
            return
        if have.expired(context.now()):
            end_approval(context, tables, have, "expired", "it was not approved in time")
            return
        plan = tables.plans.get(have.run_id)
        if why := _overtaken(plan, tables.states.newest(have.target.key)):
            end_approval(context, tables, have, "dead", why)
            return
        if policy is None or have.target.environment not in policy.environments:
            return
        going = have.when_approved and have.status == "open" and approval_state(tables, have).missing.complete
        going = going and not waits(context, tables, policy, have.target, have.pull)
    if going:
        apply_approved(context, approval)


def apply_approved(context: Context, approval: Approval) -> None:
    """Apply what was requested `when-approved` if all gates allow it now; otherwise it keeps waiting."""
    target = approval.target
    try:
        pull_context = load_pull_context(context, context.refresh(target.repository, approval.pull))
    except Refusal:
        return  # the policy is broken; it may be fixed
    with context.store.read() as tables:
        if tables.plans.get(approval.run_id) is None:
            return
        origin = replace(approval.origin, delivery=f"approval:{approval.id}", index=0, asked=0.0)
        while (before := tables.runs.get(apply_run_id(origin, target))) and before.outcome == "refused":
            origin = replace(origin, index=origin.index + 1)  # what refused it may have passed
    options = ApplyOptions(approval=approval)
    attempt_apply(context, ApplyRequest(pull_context, (target,), approval.actor, origin, options))


def decide_and_apply(context: Context, approval: Approval, actor: Actor, given: GivenDecision) -> Result:
    """Record a person's decision. Where nothing is missing now and the apply was requested `when-approved`, apply."""
    return _reply(context, decide(context, approval, actor, given), actor)


def _reply(context: Context, decided: Decided, actor: Actor) -> Result:
    """Return the reply to a person's decision, after starting the apply if nothing is missing."""
    state, approval = decided.state, decided.state.approval
    if decided.answer == "reject":
        return Notice(f"{approval.target}: rejected by {actor.name}.", "Nothing is applied.", "warning")
    if state.missing.complete:
        if approval.when_approved and (why := _try_apply(context, approval)):
            return Notice(
                f"{approval.target}: approved by {actor.name}; nothing else is needed. Not applied yet: {why.what}",
                why.next_step,
                "warning",
            )
        return Notice(f"{approval.target}: approved by {actor.name}; nothing else is needed.", tone="good")
    return Notice(
        f"{approval.target}: approved by {actor.name}.",
        f"Still needed: {missing_approvals(approval, state.missing)}.",
        "good",
    )


def _try_apply(context: Context, approval: Approval) -> UserError | None:
    """Try to apply. The decision is recorded either way, and the clock retries."""
    try:
        apply_approved(context, approval)
    except UserError as error:
        return error
    except ForgeError as error:
        if error.retry_after is not None:
            raise
        log.warning("GitHub refused", approval=approval.id, status=error.status, error=str(error)[:300])
        return UserError(
            f"GitHub returned {error.status} for #{approval.pull}.",
            next_step="Retrying every few seconds.",
        )
    return None
