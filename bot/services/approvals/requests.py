"""Approval requests: opened for one plan, shown to its approvers, and ended with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from bot.domain.actors import SYSTEM, Actor
from bot.domain.approvals import Approval, OwnerSet, missing_approvals
from bot.domain.chat import ApprovalRequest, Notice
from bot.domain.plans import PlanSummary
from bot.domain.policy import Environment
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.store import Tables
from bot.domain.ports.surfaces import Surface
from bot.domain.refusal import Refused
from bot.domain.run import Origin, Plan, Run
from bot.domain.target import Target, command
from bot.services.approvals.voters import (
    approval_state,
    check_completable,
    check_teams_exist,
    code_owners,
    people_to_ask,
)
from bot.services.audit import AuditSubject, record
from bot.services.authorship import authors_of, authors_of_revert, authors_of_sync
from bot.services.context import Context, show_approval, show_pull, stable_id
from bot.services.promotion import source_of
from bot.services.targets import PullContext, readable_policy

OVER = {
    "used": "was used",
    "rejected": "was rejected",
    "expired": "has expired",
    "dead": "is no longer valid",
}

MOST_ASKED = 20
"""Most people who get a direct message; a larger team sees the message in the channel."""


@dataclass(frozen=True)
class ApprovalTerms:
    """Who must and who may not approve, determined before the transaction that opens the approval."""

    owners: tuple[OwnerSet, ...] = ()
    excluded: tuple[str, ...] = ()


def approval_terms(
    context: Context,
    pull_context: PullContext,
    target: Target,
    actor: Actor,
    *,
    other_plan: Plan | None = None,
) -> ApprovalTerms:
    """Determine the terms of an approval; asks git and GitHub.

    other_plan: one that changes other paths than the pull request: that of a revert, which counts as the work of its
    requester and of those whose commits it brings back, or of a sync, which counts as that of everybody whose commits are
    not deployed yet. Raises UserError if the code owners or a team that the policy names cannot be determined.
    """
    pull = pull_context.pull
    environment = pull_context.policy.environments[target.environment]
    rules = environment.approval_rules
    if rules is None:
        reverting = other_plan is not None and bool(other_plan.reverts)
        return ApprovalTerms(excluded=(actor.login.lower(),) if reverting else ())
    check_teams_exist(context, rules, environment.name)
    owners = code_owners(context, pull_context, environment, other_plan)
    if rules.self_approval:
        return ApprovalTerms(owners)
    own = {actor.login.lower()} - {""}
    if other_plan is None:
        own |= authors_of(context, pull, pull_context.base_tip)
    elif other_plan.reverts:
        own |= authors_of_revert(context, other_plan)
    else:
        own |= authors_of_sync(context, other_plan)
    with context.store.read() as tables:
        asked = tables.approvals.live(target, pull.number)
    if asked is None or asked.commit != (
        other_plan.commit if other_plan else pull.head_sha
    ):  # otherwise another person may have requested it
        check_completable(context, rules, owners, own, pull, target)
    return ApprovalTerms(owners, tuple(sorted(own)))


@dataclass(frozen=True)
class NewApproval:
    """An approval to request: for `plan`, or for the plan that run `run_id` is still making (plan is None then)."""

    pull: PullRequest
    environment: Environment
    target: Target
    actor: Actor
    origin: Origin
    terms: ApprovalTerms
    run_id: str
    plan: Plan | None
    when_approved: bool = False


def open_approval(context: Context, tables: Tables, wanted: NewApproval) -> Approval:
    """Request approval. An open request for the same plan stays open; one that expired or is for another plan ends."""
    current = tables.approvals.live(wanted.target, wanted.pull.number)
    if current is not None and current.expired(context.now()):
        end_approval(context, tables, current, "expired", "it was not approved in time")
    elif current is not None and current.run_id == wanted.run_id:
        return _go_on(context, tables, current, wanted)
    elif current is not None:
        end_approval(context, tables, current, "dead", "its plan was replaced by another one")
    approval = _approval(context, wanted)
    tables.approvals.add(approval)
    record(
        context,
        tables,
        "approval.asked",
        wanted.actor,
        AuditSubject(target=wanted.target, pull=wanted.pull.number, run_id=wanted.run_id),
        approval=approval.id,
        plan=approval.plan_digest,
        commit=approval.commit,
        wanted=missing_approvals(approval),
    )
    show_everywhere(context, tables, approval)
    return approval


def _go_on(context: Context, tables: Tables, current: Approval, wanted: NewApproval) -> Approval:
    if wanted.when_approved and not current.when_approved:
        tables.approvals.update(current.id, when_approved=True)
        show_everywhere(context, tables, current)
    return replace(current, when_approved=current.when_approved or wanted.when_approved)


def _approval(context: Context, wanted: NewApproval) -> Approval:
    plan, rules, now = wanted.plan, wanted.environment.approval_rules, context.now()
    return Approval(
        id=stable_id(
            wanted.origin.delivery, wanted.origin.index, wanted.target.key, wanted.run_id, "approval"
        ),
        target=wanted.target,
        pull=wanted.pull.number,
        run_id=wanted.run_id,
        plan_digest=plan.digest if plan else "",
        commit=plan.commit if plan and plan.reverts else wanted.pull.head_sha,
        actor=wanted.actor,
        origin=wanted.origin,
        created_at=now,
        expires_at=now + (rules.expires if rules else wanted.environment.plan_expires),
        count=(rules.count if rules else 0) + (1 if plan and plan.losses else 0),
        teams=rules.teams if rules else (),
        users=rules.users if rules else (),
        owners=wanted.terms.owners,
        excluded=wanted.terms.excluded,
        when_approved=wanted.when_approved,
        destroys=_destroys(plan),
        reverts=plan.reverts if plan else "",
        sync=plan.sync if plan else "",
        status="open" if plan else "planning",
    )


def approval_plan_ready(context: Context, tables: Tables, plan: Plan) -> None:
    """Open the approval that waits for this plan; end one for an older plan."""
    current = tables.approvals.live(plan.target, plan.pull)
    if current is None:
        return
    if current.run_id != plan.run_id:
        end_approval(context, tables, current, "dead", "it was planned again")
    elif current.status == "planning":
        tables.approvals.update(current.id, plan_digest=plan.digest, destroys=_destroys(plan), status="open")
        show_everywhere(context, tables, current)


def approval_plan_failed(context: Context, tables: Tables, run: Run) -> None:
    """End the approval of a plan that failed."""
    current = tables.approvals.live(run.target, run.pull)
    if current is not None and current.run_id == run.id:
        end_approval(context, tables, current, "dead", "its plan failed")


def end_outdated_approvals(context: Context, tables: Tables, pull: PullRequest) -> None:
    """End approvals of an older commit or of a closed pull request. A revert's approval is for an older commit by intent,
    so it stays, and so does that of a plan of the default branch, which is made after the merge."""
    for current in tables.approvals.of_pull(pull.repository, pull.number):
        if current.live and (why := outdated_because(current, pull)):
            end_approval(context, tables, current, "dead", why)


def outdated_because(approval: Approval, pull: PullRequest | None) -> str:
    """Return why the approval no longer fits its pull request; "" if it does."""
    if approval.reverts or approval.sync:
        return ""
    if pull is None or pull.state != "open":
        return f"#{approval.pull} is {pull.state if pull else 'closed'}"
    return "" if approval.commit == pull.head_sha else f"`{pull.head_sha[:7]}` was pushed since"


def end_approval(context: Context, tables: Tables, approval: Approval, status: Any, why: str) -> bool:
    """End an approval, once, and update its surfaces. Returns False if it had ended before."""
    if not tables.approvals.end(approval.id, status, why, context.now()):
        return False
    record(
        context,
        tables,
        f"approval.{status}",
        SYSTEM,
        AuditSubject(target=approval.target, pull=approval.pull, run_id=approval.run_id),
        approval=approval.id,
        why=why,
    )
    if approval.when_approved and status in ("dead", "expired"):
        text = f"{approval.actor.name}: the {approval.what} that you requested was called off: {why}."
        if approval.actor == SYSTEM:
            text = f"The {approval.what} was called off: {why}."
        step = f"`{command(approval.word, approval.target)} when-approved` requests it again."
        context.tell(
            tables,
            Origin(delivery=f"approval:{approval.id}:{status}"),
            approval.target.repository,
            approval.pull,
            Notice(text, step, "warning"),
        )
    show_everywhere(context, tables, approval)
    return True


def refuse_ended(approval: Approval) -> Refused | None:
    """Return how an approval ended, as a refusal; None while it is live."""
    if approval.live:
        return None
    why = f": {approval.why}" if approval.why else ""
    return Refused(
        "approval-over",
        f"The approval for {approval.target} {OVER[approval.status]}{why}.",
        f"`{command(approval.word, approval.target)}` requests a new one.",
    )


def approval_request(context: Context, approval_id: str) -> ApprovalRequest | None:
    """Return an approval request as people see it; None if it or its pull request is unknown."""
    with context.store.read() as tables:
        approval = tables.approvals.get(approval_id)
        if approval is None:
            return None
        pull = tables.pulls.get(approval.target.repository, approval.pull)
        plan = tables.plans.get(approval.run_id)
        state = approval_state(tables, approval)
        run = tables.runs.newest(approval.target, pull=approval.pull, kind="apply")
    if pull is None:
        return None
    policy = readable_policy(context, pull.repository, 60.0)
    source = None
    if policy is not None and approval.target.environment in policy.environments:
        with context.store.read() as tables:
            source = source_of(tables, policy, approval.target, approval.pull)
    return ApprovalRequest(
        state,
        pull,
        plan,
        source.release if source else None,
        run if run is not None and run.approval == approval.id else None,
        command(approval.word, approval.target),
        context.link(approval.run_id),
        context.plan_page(plan),
    )


def show_everywhere(context: Context, tables: Tables, approval: Approval) -> None:
    """Mark the approval's Slack messages and its pull request's surfaces as due."""
    show_approval(tables, context.now(), approval.id, approval.target.repository, approval.pull)
    show_pull(tables, context.now(), approval.target.repository, approval.pull)


def notify_approvers(context: Context, approval: Approval) -> None:
    """Send a direct message to each approver whose Slack user is known. Asks GitHub who is in the teams."""
    people = people_to_ask(context, approval)[:MOST_ASKED]
    users = {login.lower(): user.rpartition("/")[2] for user, login in context.logins.items()}
    with context.store.begin() as tables:
        for login in people:
            user = users.get(login) or tables.identities.slack(login).rpartition("/")[2]
            if user:
                subject = f"{approval.id}/{user}"
                tables.surfaces.want(
                    Surface(
                        f"approval:{subject}",
                        "approval",
                        subject,
                        approval.target.repository,
                        approval.pull,
                        wanted={"user": user},
                        due_at=context.now(),
                    )
                )


def _destroys(plan: Plan | None) -> int:
    if plan is None:
        return 0
    return sum(change.destroys for change in PlanSummary.from_dict(plan.summary).changes)
