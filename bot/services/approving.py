"""Approvals: asked for with a plan, bound to it, and ended with it. bot.services.deciding has the answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from bot.domain.answers import Refused
from bot.domain.approval import Approval, wanted
from bot.domain.gates import command
from bot.domain.people import Actor
from bot.domain.plan import PlanSummary
from bot.domain.policy import Environment
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.store import Tables
from bot.domain.ports.surfaces import Surface
from bot.domain.results import Asking, Noted
from bot.domain.run import Origin, Plan, Run
from bot.domain.target import Target
from bot.services import voting
from bot.services.auditing import record
from bot.services.authors import authors_of
from bot.services.context import Context, show_approval, show_pull, stable_id
from bot.services.promoting import source_of
from bot.services.targets import Ground, readable_policy

OVER = {
    "used": "was used for its apply",
    "rejected": "was rejected",
    "expired": "has expired",
    "dead": "no longer holds",
}

MOST_ASKED = 20
"""People who get a message of their own; a larger team sees the channel's."""


@dataclass(frozen=True)
class Terms:
    """What an approval asks for, found out before the transaction that opens it."""

    owners: tuple[dict[str, Any], ...] = ()
    excluded: tuple[str, ...] = ()


def terms(
    context: Context,
    pull: PullRequest,
    stand: Ground,
    target: Target,
    actor: Actor,
    *,
    back: Plan | None = None,
) -> Terms:
    """Asks git and GitHub. back: the plan of a revert, which changes other paths than the pull request, and is nobody's
    work but its asker's. Raises UserError where the code owners or a team that the policy names cannot be relied on."""
    environment = stand.policy.environments[target.environment]
    consent = environment.consent
    if consent is None:
        return Terms(excluded=(actor.login.lower(),) if back else ())
    voting.known(context, consent, environment.name)
    owners = voting.owners(context, pull, stand, environment, back)
    if consent.self_approval:
        return Terms(owners)
    own = {actor.login.lower()} - {""}
    if not back:
        own |= authors_of(context, pull, stand.base_tip)
    with context.store.read() as tables:
        asked = tables.approvals.live(target, pull.number)
    if asked is None or asked.commit != (
        back.commit if back else pull.head_sha
    ):  # else another person may have asked
        voting.completable(context, consent, owners, own, pull, target)
    return Terms(owners, tuple(sorted(own)))


def open_in(
    context: Context,
    tables: Tables,
    pull: PullRequest,
    environment: Environment,
    target: Target,
    actor: Actor,
    origin: Origin,
    found: Terms,
    *,
    run_id: str,
    plan: Plan | None,
    when_approved: bool,
) -> Approval:
    """Ask for consent to `plan`, or to the one that run `run_id` is making. One that is asked for already goes on; one
    of another plan dies."""
    have = tables.approvals.live(target, pull.number)
    if have is not None and have.run_id == run_id and not have.expired(context.now()):
        if when_approved and not have.when_approved:
            tables.approvals.update(have.id, when_approved=True)
            shown(context, tables, have)
        return replace(have, when_approved=have.when_approved or when_approved)
    if have is not None:
        end(context, tables, have, "dead", "another plan took the place of the one it was for")
    consent, now = environment.consent, context.now()
    approval = Approval(
        id=stable_id(origin.delivery, origin.index, target.key, run_id, "approval"),
        target=target,
        pull=pull.number,
        run_id=run_id,
        plan_digest=plan.digest if plan else "",
        commit=plan.commit if plan and plan.reverts else pull.head_sha,
        actor=actor,
        origin=origin,
        created_at=now,
        expires_at=now + (consent.expires if consent else environment.plan_expires),
        count=(consent.count if consent else 0) + (1 if plan and plan.losses else 0),
        teams=consent.teams if consent else (),
        users=consent.users if consent else (),
        owners=found.owners,
        excluded=found.excluded,
        when_approved=when_approved,
        destroys=_destroys(plan),
        reverts=plan.reverts if plan else "",
        status="open" if plan else "planning",
    )
    tables.approvals.add(approval)
    record(
        context,
        tables,
        "approval.asked",
        actor,
        target=target,
        pull=pull.number,
        run_id=run_id,
        approval=approval.id,
        plan=approval.plan_digest,
        commit=approval.commit,
        wanted=wanted(approval),
    )
    shown(context, tables, approval)
    return approval


def planned(context: Context, tables: Tables, plan: Plan) -> None:
    """A plan was made: the approval that waits for it is open now, and one of an older plan is dead."""
    have = tables.approvals.live(plan.target, plan.pull)
    if have is None:
        return
    if have.run_id != plan.run_id:
        end(context, tables, have, "dead", "it was planned again")
    elif have.status == "planning":
        tables.approvals.update(have.id, plan_digest=plan.digest, destroys=_destroys(plan), status="open")
        shown(context, tables, have)


def unplanned(context: Context, tables: Tables, run: Run) -> None:
    """A plan came to nothing: nobody can approve it."""
    have = tables.approvals.live(run.target, run.pull)
    if have is not None and have.run_id == run.id:
        end(context, tables, have, "dead", "its plan was not made")


def moved(context: Context, tables: Tables, pull: PullRequest) -> None:
    """The pull request is not what it was: approvals of another head, or of one that is closed, are dead. A
    revert's is of an older commit, whatever its pull request is at."""
    for have in tables.approvals.of_pull(pull.repository, pull.number):
        if have.live and (why := outrun(have, pull)):
            end(context, tables, have, "dead", why)


def outrun(approval: Approval, pull: PullRequest | None) -> str:
    """Why its pull request is not what the approval is for any more; "" where it is."""
    if approval.reverts:
        return ""
    if pull is None or pull.state != "open":
        return f"#{approval.pull} is {pull.state if pull else 'closed'}"
    return "" if approval.commit == pull.head_sha else f"`{pull.head_sha[:7]}` was pushed meanwhile"


def end(context: Context, tables: Tables, approval: Approval, status: Any, why: str) -> bool:
    """End it, once, and show that everywhere."""
    if not tables.approvals.end(approval.id, status, why, context.now()):
        return False
    record(
        context,
        tables,
        f"approval.{status}",
        target=approval.target,
        pull=approval.pull,
        run_id=approval.run_id,
        approval=approval.id,
        why=why,
    )
    if approval.when_approved and status in ("dead", "expired"):
        text = f"{approval.actor.name}: the {approval.what} that you asked for is off: {why}."
        step = f"`{command(approval.word, approval.target)} when-approved` asks again."
        context.tell(
            tables,
            Origin(delivery=f"approval:{approval.id}:{status}"),
            approval.target.repository,
            approval.pull,
            Noted(text, step, "warning"),
        )
    shown(context, tables, approval)
    return True


def over(approval: Approval) -> Refused | None:
    """How it ended; None while it is live."""
    if approval.live:
        return None
    why = f": {approval.why}" if approval.why else ""
    return Refused(
        "approval-over",
        f"The approval for {approval.target} {OVER[approval.status]}{why}.",
        f"`{command(approval.word, approval.target)}` asks for a new one.",
    )


def asking(context: Context, approval_id: str) -> Asking | None:
    """An approval as people are asked for it; None where there is none, or its pull request is not known."""
    with context.store.read() as tables:
        approval = tables.approvals.get(approval_id)
        if approval is None:
            return None
        pull = tables.pulls.get(approval.target.repository, approval.pull)
        plan = tables.plans.get(approval.run_id)
        standing = voting.seen(tables, approval)
        run = tables.runs.newest(approval.target, pull=approval.pull, kind="apply")
    if pull is None:
        return None
    policy = readable_policy(context, pull.repository, 60.0)
    source = None
    if policy is not None and approval.target.environment in policy.environments:
        with context.store.read() as tables:
            source = source_of(tables, policy, approval.target, approval.pull)
    return Asking(
        standing,
        pull,
        plan,
        source.release if source else None,
        run if run is not None and run.approval == approval.id else None,
        command(approval.word, approval.target),
        context.link(approval.run_id),
    )


def shown(context: Context, tables: Tables, approval: Approval) -> None:
    """Its messages in Slack, and everything of its pull request."""
    show_approval(tables, context.now(), approval.id, approval.target.repository, approval.pull)
    show_pull(tables, context.now(), approval.target.repository, approval.pull)


def call(context: Context, approval: Approval) -> None:
    """A direct message to each approver whom the bot knows in Slack. Asks GitHub who is in the teams."""
    people = voting.asked(context, approval)[:MOST_ASKED]
    users = {login.lower(): user for user, login in context.logins.items()}
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
    context.poke()


def _destroys(plan: Plan | None) -> int:
    if plan is None:
        return 0
    return sum(change.destroys for change in PlanSummary.from_dict(plan.summary).changes)
