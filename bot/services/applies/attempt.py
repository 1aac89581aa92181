"""The one path to an apply: read the facts, lock the targets, ask the gates; then queue the apply, ask for approval, or
refuse. A command, a completed approval and a revert differ only in their options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.approvals import Approval
from bot.domain.gates import APPLY, UPSTREAM_FIRST, ApplyFacts, first_refusal, judge_apply, refuse_locked
from bot.domain.ports.store import Tables
from bot.domain.refusal import Refused
from bot.domain.run import Plan, Run
from bot.domain.target import Target
from bot.services.applies.facts import Observed, gather_facts, observe
from bot.services.applies.options import ApplyRequest
from bot.services.applies.queue import LockLost, apply_run_id, queue_apply, record_refusal
from bot.services.approvals import (
    ApprovalTerms,
    NewApproval,
    approval_terms,
    end_approval,
    import_reviews,
    open_approval,
    refuse_ended,
)
from bot.services.context import Context
from bot.services.visibility import await_publication

REPLANNED = frozenset(
    ["state-moved", "too-old", "policy-changed", "engine-changed", "inputs-changed", "no-revert-plan"]
)
"""Refusals of a revert that a new plan of it answers; the caller makes that plan, so nothing is recorded."""


@dataclass(frozen=True)
class Attempted:
    """What came of an attempt: applies in the queue (each with the one it waits behind, if any), or open requests for
    approval, or a refusal; nothing at all where a completed approval still waits, or is over."""

    queued: tuple[tuple[Run, Run | None], ...] = ()
    opened: tuple[Approval, ...] = ()
    refusal: Refused | None = None


def attempt_apply(context: Context, request: ApplyRequest) -> Attempted:
    """Try to apply. Where approval is asked for and reviews given after the plan complete it already, apply at once."""
    outcome = _attempt(context, request)
    if outcome.opened and all(_is_complete(context, approval) for approval in outcome.opened):
        return _attempt(context, request)
    return outcome


def verdict_of(context: Context, request: ApplyRequest, target: Target) -> Refused | None:
    """Return what the gates would refuse an apply for now; nothing is recorded."""
    with context.store.read() as tables:
        plan = tables.plans.newest(target, request.pull.number)
    observed = observe(context, request, target, plan)
    with context.store.read() as tables:
        facts = gather_facts(context, tables, request, target, plan, observed)
    return judge_apply(facts, when_approved=request.options.when_approved).refusal


def _attempt(context: Context, request: ApplyRequest) -> Attempted:
    options, number = request.options, request.pull.number
    with context.store.read() as tables:
        plans = {target: tables.plans.newest(target, number) for target in request.targets}
        waiting = [one for target in request.targets if (one := tables.approvals.live(target, number))]
    for plan in plans.values():
        if plan is not None and request.origin.asked:
            await_publication(context, plan, request.origin)
    observed = {target: observe(context, request, target, plan) for target, plan in plans.items()}
    if not options.forced and not options.approval and (refusal := _just_rejected(context, waiting)):
        return Attempted(refusal=refusal)
    terms = {target: _terms(context, request, target, plan) for target, plan in plans.items()}
    try:
        with context.store.begin() as tables:
            before = [
                one for target in request.targets for one in request.pull_context.policy.upstream(target)
            ]
            tables.locks.lock_targets(*request.targets, *before)
            if options.approval and not _goes_on(tables, request, options.approval):
                return Attempted()
            return _judge(context, tables, request, observed, terms)
    except LockLost as lost:
        if options.approval:
            return Attempted()
        with context.store.begin() as tables:
            refusal = refuse_locked(lost.lock, lost.lock.target)
            return Attempted(refusal=record_refusal(context, tables, request, lost.lock.target, refusal))


def _terms(context: Context, request: ApplyRequest, target: Target, plan: Plan | None) -> ApprovalTerms:
    """Whom an approval would need. A forced apply asks nobody, so nothing about whom to ask may stop it."""
    if request.options.forced or request.options.approval:
        return ApprovalTerms()
    other = plan if plan and (plan.reverts or plan.sync) else None
    return approval_terms(context, request.pull_context, target, request.actor, other_plan=other)


def _judge(
    context: Context,
    tables: Tables,
    request: ApplyRequest,
    observed: Mapping[Target, Observed],
    terms: Mapping[Target, ApprovalTerms],
) -> Attempted:
    """Ask the gates of all targets under their locks, and do what they say."""
    facts, asking = {}, []
    for target in request.pull_context.policy.in_order(request.targets):
        plan = tables.plans.newest(target, request.pull.number)
        facts[target] = gather_facts(context, tables, request, target, plan, observed[target])
        verdict = judge_apply(facts[target], when_approved=request.options.when_approved)
        if verdict.refusal is not None and request.options.approval:
            _end_if_hopeless(context, tables, request.options.approval, facts[target])
            return Attempted()
        if verdict.outcome == "refused" and verdict.refusal is not None:
            if request.options.revert and verdict.refusal.code in REPLANNED:
                return Attempted(refusal=verdict.refusal)
            return Attempted(refusal=record_refusal(context, tables, request, target, verdict.refusal))
        if verdict.outcome == "approval":
            asking.append(target)
    if asking:
        return Attempted(
            opened=tuple(_open(context, tables, request, facts[one], terms[one]) for one in asking)
        )
    return Attempted(queued=tuple(queue_apply(context, tables, request, one) for one in facts.values()))


def _open(
    context: Context, tables: Tables, request: ApplyRequest, facts: ApplyFacts, terms: ApprovalTerms
) -> Approval:
    if facts.plan is None:
        raise LookupError("the gates let nothing without a plan come this far")
    wanted = NewApproval(
        pull=facts.pull,
        environment=facts.environment,
        target=facts.target,
        actor=request.actor,
        origin=request.origin,
        terms=terms,
        run_id=facts.plan.run_id,
        plan=facts.plan,
        when_approved=request.options.when_approved,
    )
    return open_approval(context, tables, wanted)


def _goes_on(tables: Tables, request: ApplyRequest, approval: Approval) -> bool:
    """Whether the completed approval is still open, and its apply was not queued by somebody else meanwhile."""
    current = tables.approvals.get(approval.id)
    queued = tables.runs.get(apply_run_id(request.origin, approval.target))
    return current is not None and current.status == "open" and queued is None


def _end_if_hopeless(context: Context, tables: Tables, approval: Approval, facts: ApplyFacts) -> None:
    """End an approval whose plan can never be applied. A lock, a freeze or a soak time ends by itself, and a stack that
    comes first will be applied: it waits."""
    refusal = first_refusal(APPLY, facts)
    if refusal is not None and refusal.code not in ("locked", UPSTREAM_FIRST):
        end_approval(context, tables, approval, "dead", refusal.fact)


def _just_rejected(context: Context, waiting: list[Approval]) -> Refused | None:
    """The answer where a review that was read just now rejected what waited, instead of asking again."""
    with context.store.read() as tables:
        now = [tables.approvals.get(one.id) for one in waiting]
    ended = (refuse_ended(one) for one in now if one and one.status == "rejected")
    return next((refusal for refusal in ended if refusal), None)


def _is_complete(context: Context, approval: Approval) -> bool:
    """Whether reviews given between the plan and the request are all that the approval needs."""
    state = import_reviews(context, approval) if approval.status == "open" else None
    return state is not None and state.missing.complete
