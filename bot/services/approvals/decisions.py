"""People's decisions on an approval, by a click, a command or a review: one record, checked on the server each time."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from bot.domain.actors import Actor, reaches
from bot.domain.approvals import Answer, Approval, ApprovalState, Decision, Voter, refuse_voter
from bot.domain.gates import refuse_other_commit, refuse_unread
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.store import Tables
from bot.domain.refusal import Refused, require
from bot.domain.run import Origin
from bot.domain.target import command
from bot.domain.visibility import was_visible
from bot.errors import UserError
from bot.services.approvals.outcomes import (
    answer_early_reviews,
    apply_decisions,
    import_reviews,
    renew_owners,
)
from bot.services.approvals.requests import (
    end_approval,
    end_outdated_approvals,
    outdated_because,
    refuse_ended,
)
from bot.services.approvals.voters import (
    approval_state,
    decisions_reread,
    new_reviews,
    rejected_at,
    voter_of,
    without_pushers,
)
from bot.services.context import Context, stable_id
from bot.services.targets import PullContext, base_tip, readable_policy
from bot.services.visibility import await_publication

log = structlog.get_logger()

FRESH = 60.0
"""Seconds for which the last policy read is fresh enough to tell whether code owners must approve."""


@dataclass(frozen=True)
class GivenDecision:
    """What a click or a command says about an approval.

    digest: of the plan that the person saw (a prefix), "" where the one that was visible is meant. commit: the one that
    was named (a prefix), or "". typed: what was typed where the environment's name is asked for.
    """

    answer: Answer
    origin: Origin
    reason: str = ""
    digest: str = ""
    typed: str = ""
    commit: str = ""


@dataclass(frozen=True)
class Decided:
    """A recorded decision, and the state of the approval that includes it."""

    answer: Answer
    state: ApprovalState


def decide(context: Context, approval: Approval, actor: Actor, given: GivenDecision) -> Decided:
    """Record one person's decision. Their permission is read from GitHub now, whatever was shown before. Raises Refusal."""
    with context.store.read() as tables:
        before = recorded_decision(tables, approval, given.origin)
        approval = tables.approvals.get(approval.id) or approval
        state = approval_state(tables, approval)
    if before is not None:  # entered again after a crash
        return Decided(before.answer, state)
    approval = _as_of_now(context, approval)
    require(_over(approval, given.digest) or _still_planning(approval, given.answer))
    pull = context.refresh(approval.target.repository, approval.pull)
    approval = _as_of_now(context, approval, pull)
    require(_over(approval, given.digest))
    if given.commit:
        what = f"the approval for {approval.target} is for"
        again = f"{command('approve', approval.target)} {approval.commit[:7]}"
        require(refuse_other_commit(approval.commit, given.commit, what, again))
    if given.answer == "approve":
        approval = _owners_of_now(context, approval, pull)
    person = voter_of(context, approval, actor.login)
    others: list[Decision] = []
    if given.answer == "approve" and approval.ready_at is None:  # once it is ready, its apply rereads them
        others = decisions_reread(context, approval, {actor.login.lower()})
    with context.store.read() as tables:
        require(_not_allowed(without_pushers(tables, approval), person, given))
    if given.answer == "approve":
        require(_unseen(context, approval, given))
    decision = Decision(
        id=_decision_id(approval, given.origin),
        approval_id=approval.id,
        login=actor.login,
        answer=given.answer,
        reason=given.reason.strip()[:500],
        via=actor.via,
        at=given.origin.written_at or context.now(),
        role=person.role,
        groups=tuple(sorted(person.owner_names)),
    )
    return _record(context, approval, decision, others, given.digest)


def _unseen(context: Context, approval: Approval, given: GivenDecision) -> Refused | None:
    """Refuse an approval that does not name its plan and was written before people could read that, or before somebody
    rejected it."""
    written = given.origin.written_at
    if given.digest or written is None:
        return None
    with context.store.read() as tables:
        plan = tables.plans.get(approval.run_id)
        rejected = rejected_at(tables, approval)
        pushed = tables.pulls.head_seen(approval.target.repository, approval.pull, approval.commit)
    if plan is not None:
        await_publication(context, plan, given.origin)
    if plan is None or not was_visible(plan.visible_since(given.origin), written, pushed):
        return refuse_unread(approval.target, plan, "approve") if plan else None
    if rejected is None or was_visible(rejected, written):
        return None
    return Refused(
        "unread",
        f"The plan for {approval.target} was rejected after this was written, and approval was requested again since.",
        f"If you still approve, run `{command('approve', approval.target)}`.",
    )


def _still_planning(approval: Approval, answer: Answer) -> Refused | None:
    if approval.status != "planning" or answer != "approve":
        return None
    return Refused(
        "planning",
        f"The plan for {approval.target} is still running, so nobody can have read it.",
        f"When it is done, read it, then run `{command('approve', approval.target)}`.",
    )


def _not_allowed(approval: Approval, person: Voter, given: GivenDecision) -> Refused | None:
    """Return why this person's decision does not count, or None."""
    if given.answer == "approve":
        if refusal := refuse_voter(approval, person):
            return refusal
        if approval.destroys and given.typed != approval.target.environment:
            return Refused(
                "typed",
                f"This plan destroys or replaces {approval.destroys} resource{'s' if approval.destroys > 1 else ''}. Name "
                "the environment to approve it.",
                f"`{command('approve', approval.target)}`",
            )
    elif not reaches(person.role, "write") and person.login.lower() != approval.actor.login.lower():
        has = "no access" if person.role == "none" else f"`{person.role}`"
        return Refused(
            "permission",
            f"Rejecting needs the `write` role; you have {has}.",
            f"Ask somebody who has it to comment `{command('reject', approval.target)} <reason>`.",
        )
    return None


def _record(
    context: Context, approval: Approval, decision: Decision, others: list[Decision], digest: str
) -> Decided:
    """Record the decision, unless the approval ended meanwhile: asking GitHub took its time."""
    with context.store.begin() as tables:
        tables.locks.lock_targets(approval.target)
        current = tables.approvals.get(approval.id)
        if current is not None and _expire(context, tables, current):
            current = tables.approvals.get(approval.id)
        refusal, state = _over(current, digest), None
        if current is not None and refusal is None:
            for one in (*others, decision):
                tables.approvals.decide(one)
            state = apply_decisions(context, tables, current, [decision])
    require(refusal)  # after the commit, which may have ended the approval
    if state is None:
        raise LookupError("an approval that is gone is refused")
    return Decided(decision.answer, state)


def recorded_decision(tables: Tables, approval: Approval, origin: Origin) -> Decision | None:
    """Return the decision recorded for a click or a command, if any."""
    wanted = _decision_id(approval, origin)
    return next((one for one in tables.approvals.decisions(approval.id) if one.id == wanted), None)


def _decision_id(approval: Approval, origin: Origin) -> str:
    return f"{stable_id(origin.delivery, origin.index)}:{approval.id}"


def read_reviews(context: Context, repository: str, number: int) -> list[Approval]:
    """Import the reviews after one was submitted or dismissed on GitHub. Returns the approvals that are complete now."""
    with context.store.read() as tables:
        live = [one for one in tables.approvals.of_pull(repository, number) if one.live]
    complete = []
    for approval in live:
        if approval.status == "planning":
            answer_early_reviews(context, approval, new_reviews(context, approval).early)
            continue
        try:
            _owners_of_now(context, approval, context.refresh(repository, number))
        except UserError as error:  # the decision is recorded anyway; the gates will refuse
            log.warning("code owners cannot be determined", approval=approval.id, error=str(error)[:300])
        state = import_reviews(context, _reload(context, approval))
        if state is not None and state.missing.complete:
            complete.append(approval)
    return complete


def _owners_of_now(context: Context, approval: Approval, pull: PullRequest) -> Approval:
    """Update the approval to the current code owners if the policy asks for them. Raises UserError if they cannot be
    determined."""
    policy = readable_policy(context, pull.repository, FRESH)
    environment = policy.environments.get(approval.target.environment) if policy else None
    rules = environment.approval_rules if environment else None
    if policy is not None and rules is not None and (rules.codeowners or approval.owners):
        renew_owners(context, approval, PullContext(pull, policy, base_tip(context, pull)))
        return _reload(context, approval)
    return approval


def _over(approval: Approval | None, digest: str) -> Refused | None:
    """Return why the approval no longer takes decisions, or None."""
    if approval is None:
        return Refused(
            "approval-over", "This approval request no longer exists.", "`/status` shows what there is now."
        )
    if refusal := refuse_ended(approval):
        return refusal
    if digest and not approval.plan_digest.startswith(digest):
        return Refused(
            "approval-over",
            f"That plan for {approval.target} is not the one waiting for approval now.",
            f"Read the latest one, then run `{command('approve', approval.target)}`.",
        )
    return None


def _as_of_now(context: Context, approval: Approval, pull: PullRequest | None = None) -> Approval:
    """Return the approval, ended if it has expired or, given `pull`, no longer fits the pull request."""
    if not approval.live or not (
        approval.expired(context.now()) or (pull and outdated_because(approval, pull))
    ):
        return approval
    with context.store.begin() as tables:
        if pull is not None:
            end_outdated_approvals(context, tables, pull)
        current = tables.approvals.get(approval.id) or approval
        _expire(context, tables, current)
        return tables.approvals.get(approval.id) or approval


def _expire(context: Context, tables: Tables, approval: Approval) -> bool:
    """End the approval if it has expired. Returns False if it has not."""
    if not approval.live or not approval.expired(context.now()):
        return False
    end_approval(context, tables, approval, "expired", "it was not approved in time")
    return True


def _reload(context: Context, approval: Approval) -> Approval:
    with context.store.read() as tables:
        return tables.approvals.get(approval.id) or approval
