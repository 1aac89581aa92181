"""What the gates are asked with: read outside the transaction where it is slow, and from rows within it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from bot.domain.gates import ApplyFacts
from bot.domain.hold import Hold
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.store import Tables
from bot.domain.run import Plan
from bot.domain.state import LockInfo, StateVersion
from bot.domain.target import Target
from bot.services import hearing, voting
from bot.services.context import Context
from bot.services.preparing import state_of
from bot.services.promoting import configuration_of, frozen_now, source_of
from bot.services.targets import Ground, moved
from bot.services.whereabouts import foreign_lock


@dataclass(frozen=True)
class Seen:
    """What was read outside the transaction: it may be slow (git, GitHub, S3)."""

    moved: list[str]
    state: tuple[str, int] | None
    configuration: str = ""
    held: Hold | None = None
    state_lock: LockInfo | None = None


def look(
    context: Context, pull: PullRequest, stand: Ground, target: Target, plan: Plan | None, *, forced: str = ""
) -> Seen:
    """Read it now; and let the approval there stand as it does now, so that the rows tell the truth. forced: see
    ApplyFacts; then nothing about whom to ask stands in the way. Raises UserError where that cannot be relied on."""
    environment = stand.policy.environments[target.environment]
    if not forced:
        with context.store.read() as tables:
            approval = tables.approvals.live(target, pull.number)
        if approval is not None and approval.status == "open":
            hearing.refresh(context, approval, pull, stand)
    return Seen(
        moved(context, pull, stand, target.stack),
        current_state(context, target, plan) if plan else None,
        configuration_of(context, pull.repository, pull.head_sha, stand.policy, target.stack)
        if environment.promote_from
        else "",
        held_out(context, target, pull.head_sha),
        foreign_lock(context, target, context.backends.restore(plan.backend)) if plan else None,
    )


def held_out(context: Context, target: Target, head: str) -> Hold | None:
    """The hold there, where `head` contains what it keeps out."""
    with context.store.read() as tables:
        hold = tables.holds.get(target)
    if hold is None or not context.git.is_ancestor(target.repository, hold.reverted, head):
        return None
    return hold


def facts(
    context: Context,
    tables: Tables,
    pull: PullRequest,
    stand: Ground,
    target: Target,
    plan: Plan | None,
    seen: Seen,
    *,
    asked: float = 0.0,
    forced: str = "",
) -> ApplyFacts:
    """Everything the gates ask for, from rows and from what was read just now. asked: see Origin."""
    approval = tables.approvals.live(target, pull.number)
    return ApplyFacts(
        pull=pull,
        target=target,
        environment=stand.policy.environments[target.environment],
        plan=plan,
        lock=tables.locks.get(target),
        now=context.now(),
        engine=context.terraform.engine.identity,
        policy=stand.policy.digest(target.stack, target.environment),
        moved=seen.moved,
        state=seen.state,
        asked=datetime.fromtimestamp(asked, UTC) if asked else None,
        source=source_of(tables, stand.policy, target, pull.number),
        configuration=seen.configuration,
        frozen=frozen_now(context, stand.policy, target),
        consent=voting.seen(tables, approval) if approval else None,
        forced=forced,
        held=seen.held,
        state_lock=seen.state_lock,
        unsaved=next(iter(tables.unsaved.open([target])), None),
    )


def current_state(context: Context, target: Target, plan: Plan) -> tuple[str, int] | None:
    """(lineage, serial) now, read where the plan's proven backend says."""
    if plan.backend["kind"] != "http":
        return state_of(context, target, context.backends.restore(plan.backend))
    with context.store.read() as tables:
        return glance(plan, tables.states.newest(target.key))


def glance(plan: Plan, newest: StateVersion | None) -> tuple[str, int] | None:
    """The same for the built-in backend, of which the newest version is known; None for others, which only Terraform
    compares."""
    if plan.backend["kind"] != "http":
        return None
    return (newest.lineage, newest.serial) if newest else ("", 0)
