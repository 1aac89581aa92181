"""Applies: exactly the plan that was read, at exactly that commit, once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.domain.gates import APPLY, ApplyFacts, ask, claimed
from bot.domain.lock import Lock, Waiter
from bot.domain.people import Actor
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.store import Tables
from bot.domain.results import Refused, Result, Started
from bot.domain.run import Origin, Plan, Run
from bot.domain.target import Target
from bot.services import planning
from bot.services.context import Context, show_pull, show_run, stable_id
from bot.services.preparing import state_of
from bot.services.targets import Ground, moved


def facts(
    context: Context,
    tables: Tables,
    pull: PullRequest,
    stand: Ground,
    target: Target,
    plan: Plan | None,
    *,
    gone_by: list[str],
    state: tuple[str, int] | None,
    asked: float,
) -> ApplyFacts:
    """Everything the gates ask for, from rows and from what was read just now."""
    return ApplyFacts(
        pull=pull,
        target=target,
        environment=stand.policy.environments[target.environment],
        plan=plan,
        lock=tables.locks.get(target),
        now=context.now(),
        engine=context.terraform.engine.identity,
        policy=stand.policy.digest(target.stack, target.environment),
        moved=gone_by,
        state=state,
        asked=datetime.fromtimestamp(asked, UTC) if asked else None,
    )


@dataclass(frozen=True)
class Seen:
    """What was read outside the transaction: it may be slow (git, S3)."""

    moved: list[str]
    state: tuple[str, int] | None


def look(context: Context, pull: PullRequest, stand: Ground, target: Target, plan: Plan | None) -> Seen:
    gone_by = moved(context, pull, stand, target.stack)
    return Seen(gone_by, current_state(context, target, plan) if plan else None)


def current_state(context: Context, target: Target, plan: Plan) -> tuple[str, int] | None:
    """(lineage, serial) now, read where the plan's proven backend says."""
    return glance(context, target, plan) or state_of(context, target, context.backends.restore(plan.backend))


def glance(context: Context, target: Target, plan: Plan) -> tuple[str, int] | None:
    """The same for the built-in backend, without reading the state; None for others, which only Terraform compares."""
    if plan.backend["kind"] != "http":
        return None
    with context.store.read() as tables:
        version = tables.states.newest(target.key)
    return (version.lineage, version.serial) if version else ("", 0)


def request(
    context: Context,
    pull: PullRequest,
    stand: Ground,
    targets: list[Target],
    actor: Actor,
    origin: Origin,
) -> Result:
    """Claim the targets for the pull request and queue an apply of each one's plan; or say why not.

    Without any plan, one is made and shown, and the apply waits for a second request: nobody has read it yet.
    All targets or none: a refusal of one stops the others before anything is claimed.
    """
    with context.store.read() as tables:
        plans = {target: tables.plans.newest(target, pull.number) for target in targets}
        seen_before = [run for target in targets if (run := tables.runs.get(_id(origin, target)))]
    if seen_before:
        return Started(tuple(seen_before), {})
    if unplanned := [target for target, plan in plans.items() if plan is None]:
        return _plan_first(context, pull, stand, unplanned, actor, origin)
    seen = {target: look(context, pull, stand, target, plan) for target, plan in plans.items()}
    try:
        with context.store.begin() as tables:
            for target in sorted(targets):
                tables.locks.alone(target)
            for target in targets:
                newest = tables.plans.newest(target, pull.number)
                found = facts(
                    context,
                    tables,
                    pull,
                    stand,
                    target,
                    newest,
                    gone_by=seen[target].moved,
                    state=seen[target].state,
                    asked=origin.asked,
                )
                plans[target] = newest
                if refusal := ask(APPLY, found):
                    return _refused(context, tables, refusal, target, pull, actor)
            queued = [
                _queue(context, tables, pull, stand, target, plans[target], actor, origin)
                for target in targets
            ]
    except _Lost as lost:
        with context.store.begin() as tables:
            return _refused(
                context, tables, claimed(lost.lock, lost.lock.target), lost.lock.target, pull, actor
            )
    context.work.wake()
    context.poke()
    return Started(tuple(run for run, _ in queued), {run.target.key: busy for run, busy in queued if busy})


class _Lost(Exception):
    """Somebody claimed a target between the gates' look and ours: nothing of this request is kept."""

    def __init__(self, lock: Lock) -> None:
        super().__init__(lock.target.key)
        self.lock = lock


def _id(origin: Origin, target: Target) -> str:
    return stable_id(origin.delivery, origin.index, target.key, "apply")


def _plan_first(
    context: Context, pull: PullRequest, stand: Ground, targets: list[Target], actor: Actor, origin: Origin
) -> Result:
    with context.store.read() as tables:
        going = [
            run
            for target in targets
            for run in tables.runs.active(target=target, pull=pull.number, kind="plan")
        ]
    names = ", ".join(f"`{target}`" for target in targets)
    if not going:
        planning.request(
            context, pull, targets, stand.base_tip, actor, origin, f"{origin.delivery}:{origin.index}"
        )
    commands = " or ".join(
        f"`/apply {target.environment}`" for target in {t.environment: t for t in targets}.values()
    )
    return Refused(
        "unread",
        f"Nobody has read a plan for {names} yet; one is being made now.",
        f"Read it, then comment {commands} again.",
    )


def _refused(
    context: Context, tables: Tables, refusal: Refused, target: Target, pull: PullRequest, actor: Actor
) -> Refused:
    lock = tables.locks.get(target)
    if refusal.code != "locked" or lock is None:
        return refusal
    tables.locks.wait(Waiter(target, pull.number, actor, context.now()))
    show_pull(tables, context.now(), target.repository, pull.number)
    return replace(
        refusal,
        next_step=f"{refusal.next_step} #{pull.number} is on the waiting list: it gets a fresh "
        "plan and is told when the lock is free.",
    )


def _queue(
    context: Context,
    tables: Tables,
    pull: PullRequest,
    stand: Ground,
    target: Target,
    plan: Plan | None,
    actor: Actor,
    origin: Origin,
) -> tuple[Run, Run | None]:
    """Claim one target and queue its apply; also the apply that goes on there, if any. Raises _Lost."""
    now, life = context.now(), stand.policy.environments[target.environment].lock_expires
    wanted = Lock(
        target,
        actor,
        now,
        pull=pull.number,
        reason="apply",
        url=pull.url,
        expires_at=now + life if life else None,
    )
    have = tables.locks.take(wanted, now)
    if not have.admits(pull.number):
        raise _Lost(have)
    busy = tables.runs.active(target=target, kind="apply")
    run = Run(
        id=_id(origin, target),
        kind="apply",
        target=target,
        pull=pull.number,
        commit=pull.head_sha,
        base_commit=plan.base_commit if plan else "",
        actor=actor,
        origin=origin,
        plan_id=plan.id if plan else "",
        created_at=now,
    )
    tables.runs.add(run)
    context.work.enqueue(run, tables)
    show_run(tables, now, run)
    return run, busy[0] if busy else None
