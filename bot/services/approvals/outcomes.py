"""Apply approval decisions: record them, end an approval that was rejected, announce one that is complete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.domain.actors import SYSTEM, Actor
from bot.domain.approvals import (
    Approval,
    ApprovalState,
    Decision,
    missing_approvals,
    newest_decisions,
    refuse_voter,
)
from bot.domain.chat import Notice
from bot.domain.ports.forge import PullRequest, Review
from bot.domain.ports.store import Tables
from bot.domain.run import Origin
from bot.domain.sanitize import outside
from bot.domain.target import command
from bot.services.approvals.requests import end_approval, notify_approvers, show_everywhere
from bot.services.approvals.voters import (
    approval_state,
    code_owners,
    decisions_reread,
    new_reviews,
    voter_of,
    without_pushers,
)
from bot.services.audit import AuditSubject, record
from bot.services.authorship import find_pushers
from bot.services.context import Context
from bot.services.targets import PullContext


def import_reviews(context: Context, approval: Approval) -> ApprovalState | None:
    """Import GitHub's reviews as decisions. Returns the new state, or None if there is nothing new or it has ended.

    Decisions are recorded in the transaction that acts on them: a crash between the two would leave decisions that
    nobody looks at again.
    """
    seen = new_reviews(context, approval)
    answer_early_reviews(context, approval, seen.early)
    if not seen.decisions:
        return None
    others = decisions_reread(context, approval, {one.login.lower() for one in seen.decisions})
    with context.store.begin() as tables:
        current = _live(tables, approval)
        if current is None:
            return None
        decisions = [one for one in seen.decisions if tables.approvals.decide(one)]
        for one in others:
            tables.approvals.decide(one)
        return apply_decisions(context, tables, current, decisions) if decisions else None


def answer_early_reviews(context: Context, approval: Approval, reviews: Sequence[Review]) -> None:
    """Reply to approving reviews that came before the plan and so do not count; once for each review."""
    if not reviews:
        return
    newest = {one.author: one for one in sorted(reviews, key=lambda one: one.id)}
    answers = [(author, Origin(delivery=f"review:{one.id}")) for author, one in newest.items()]
    with context.store.read() as tables:
        new = [one for one in answers if tables.surfaces.get(f"reply:{one[1].id}") is None]
        approval = without_pushers(tables, approval)
    counting = [one for one in new if refuse_voter(approval, voter_of(context, approval, one[0])) is None]
    if not counting:
        return
    target = approval.target
    with context.store.begin() as tables:
        for author, origin in counting:
            context.tell(
                tables,
                origin,
                target.repository,
                approval.pull,
                Notice(
                    f"@{author}: your approving review of `{approval.commit[:7]}` does not count for the "
                    f"{approval.what}, since it was submitted before the plan was there to read (or in the same second).",
                    f"Read the plan, then run `{command('approve', target)}` or submit another approving review.",
                    "warning",
                ),
            )


def refresh_approval(context: Context, approval: Approval, pull_context: PullContext) -> None:
    """Bring an approval up to date: who pushed, code owners, GitHub's reviews, and the permissions of everybody who
    decided. Raises UserError if the code owners cannot be determined."""
    if approval.others_only:
        find_pushers(context, pull_context.pull, pull_context.base_tip)
    renew_owners(context, approval, pull_context)
    import_reviews(context, approval)
    if changed := decisions_reread(context, approval):
        with context.store.begin() as tables:
            if current := _live(tables, approval):
                _judge_again(context, tables, current, changed)


def renew_owners(context: Context, approval: Approval, pull_context: PullContext) -> None:
    """Update the code owners to the default branch's current CODEOWNERS, and notify new ones. Raises UserError if the file
    cannot be relied on."""
    environment = pull_context.policy.environments.get(approval.target.environment)
    if environment is None:
        return  # the gates will refuse
    with context.store.read() as tables:
        other = tables.plans.get(approval.run_id) if approval.reverts or approval.sync else None
    owners = code_owners(context, pull_context, environment, other)
    if owners == approval.owners:
        return
    now = replace(approval, owners=owners)
    changed = decisions_reread(context, now)  # they may be in a team that did not matter before
    with context.store.begin() as tables:
        current = _live(tables, approval)
        if current is None:
            return
        tables.approvals.update(approval.id, owners=owners)
        record(
            context,
            tables,
            "approval.owners",
            SYSTEM,
            AuditSubject(target=approval.target, pull=approval.pull, run_id=approval.run_id),
            approval=approval.id,
            wanted=missing_approvals(now),
        )
        _judge_again(context, tables, replace(current, owners=owners), changed)
    notify_approvers(context, now)


def void_pushers(context: Context, pull: PullRequest) -> None:
    """Judge a pull request's approvals again, after it became known who pushed to it."""
    with context.store.read() as tables:
        every = tables.approvals.of_pull(pull.repository, pull.number)
    for approval in every:
        if not approval.live or not approval.others_only:
            continue
        with context.store.begin() as tables:
            if current := _live(tables, approval):
                apply_decisions(context, tables, current, [])


def _live(tables: Tables, approval: Approval) -> Approval | None:
    """Lock the approval's target and return its row; None if it has ended."""
    tables.locks.lock_targets(approval.target)
    current = tables.approvals.get(approval.id)
    return current if current is not None and current.live else None


def _judge_again(context: Context, tables: Tables, approval: Approval, changed: list[Decision]) -> None:
    for one in changed:
        tables.approvals.decide(one)
    apply_decisions(context, tables, approval, [])


def apply_decisions(
    context: Context, tables: Tables, approval: Approval, new: list[Decision]
) -> ApprovalState:
    """Act on new decisions: a rejection ends the approval; once nothing is missing, that is announced."""
    for decision in new:
        record(
            context,
            tables,
            "approval.decided",
            Actor(decision.login, via=decision.via),
            AuditSubject(target=approval.target, pull=approval.pull, run_id=approval.run_id),
            approval=approval.id,
            answer=decision.answer,
            reason=decision.reason,
            plan=approval.plan_digest,
            role=decision.role,
            decision=decision.id,
        )
    state = approval_state(tables, approval)
    rejection = _rejection(tables.approvals.decisions(approval.id), approval, state)
    if rejection is not None:
        because = f": {outside(rejection.reason)}" if rejection.reason else ""
        end_approval(context, tables, approval, "rejected", f"@{rejection.login} rejected it{because}")
        notice = Notice(f"@{rejection.login} rejected the {approval.what}{because}.", tone="warning")
        _notify_pull(context, tables, approval, "rejected", notice)
    elif not state.missing.complete and approval.ready_at is not None:
        tables.approvals.update(approval.id, ready_at=None)
    elif state.missing.complete and approval.ready_at is None:
        tables.approvals.update(approval.id, ready_at=context.now())
        if not approval.when_approved:
            text = f"{approval.actor.name}: the {approval.what} is approved."
            notice = Notice(text, f"`{command(approval.word, approval.target)}`", "good")
            _notify_pull(context, tables, approval, "ready", notice)
    show_everywhere(context, tables, approval)
    return state


def _rejection(decisions: Sequence[Decision], approval: Approval, state: ApprovalState) -> Decision | None:
    """Return the decision that rejects the approval: by anybody with write, or by its requester."""
    if state.rejected:
        return state.rejected[0]
    asker = newest_decisions(decisions).get(approval.actor.login.lower())
    return asker if asker is not None and asker.answer == "reject" else None


def _notify_pull(context: Context, tables: Tables, approval: Approval, event: str, notice: Notice) -> None:
    """Comment on the pull request about an event of the approval, once."""
    origin = Origin(delivery=f"approval:{approval.id}:{event}")
    context.tell(tables, origin, approval.target.repository, approval.pull, notice)
