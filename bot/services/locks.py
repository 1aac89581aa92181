"""Locks: taken by hand or by an apply, released with the pull request; the waiting list is notified."""

from __future__ import annotations

from datetime import timedelta

import structlog

from bot.domain.actors import SYSTEM, Actor, Role, reaches
from bot.domain.chat import Locked, Notice, Result, Unlocked
from bot.domain.gates import refuse_locked
from bot.domain.lock import Lock, Waiter
from bot.domain.ports.forge import ForgeError
from bot.domain.ports.store import Tables
from bot.domain.refusal import Refusal, Refused, require
from bot.domain.run import Origin
from bot.domain.target import Target, command
from bot.errors import TransientError, UserError
from bot.services.audit import AuditSubject, record
from bot.services.context import Context, show_pull, show_pulls
from bot.services.plans import PlanRequest, request_plans
from bot.services.states import find_state_lock, refuse_running, release_state_lock
from bot.services.targets import changed_on_base, load_pull_context

log = structlog.get_logger()


def lock_target(
    context: Context, target: Target, actor: Actor, reason: str, url: str, expires: timedelta | None
) -> Result:
    """Lock a target by hand: nobody applies there until it is released. Raises Refusal if it is locked."""
    now = context.now()
    wanted = Lock(target, actor, now, reason=reason, url=url, expires_at=now + expires if expires else None)
    with context.store.begin() as tables:
        have = tables.locks.take(wanted, now)
        if have != wanted:
            require(refuse_locked(have, target))
        record(context, tables, "lock.taken", actor, AuditSubject(target=target), reason=reason)
        show_pulls(tables, context.now(), target.repository)
    return Locked(wanted)


def unlock_target(context: Context, target: Target, actor: Actor, role: Role) -> Result:
    """Release a lock: your own with write, another's with maintain; never during an apply under it.

    A pull request's lock belongs to its author and to whoever applied. A state lock that a laptop or a dead machine
    left is freed with it.
    """
    stuck = find_state_lock(context, target)
    with context.store.begin() as tables:
        tables.locks.lock_targets(target)
        have = tables.locks.get(target)
        if have is None or have.expired(context.now()):
            have = None
        if have is None and stuck is None:
            return Notice(f"{target} is not locked.")
        require(
            _forbidden(tables, target, have, actor, role) or (stuck.forbids(actor, role) if stuck else None)
        )
        if busy := tables.runs.changing(target):
            raise Refusal(
                "busy",
                f"An apply of #{busy[0].pull} is running on {target} under this lock.",
                f"Wait for it, or comment `/cancel` on #{busy[0].pull}; then run `{command('unlock', target)}`.",
            )
        if stuck:
            require(refuse_running(context, tables, stuck))
        if have is not None:
            tables.locks.release(target)
            record(
                context,
                tables,
                "lock.released",
                actor,
                AuditSubject(target=target, pull=have.pull),
                held_by=have.owner,
            )
        waiters = tables.locks.waiters(target)
        show_pulls(tables, context.now(), target.repository)
    if stuck:
        release_state_lock(context, stuck, actor)
    tell_waiters(context, target, f"`{target}` was unlocked by {actor.name}")
    return Unlocked(target, actor.name, tuple(waiter.pull for waiter in waiters))


def _forbidden(tables: Tables, target: Target, have: Lock | None, actor: Actor, role: Role) -> Refused | None:
    """Return why this person may not release the lock, or None."""
    if have is None or reaches(role, "maintain"):
        return None
    holder = tables.pulls.get(target.repository, have.pull) if have.pull else None
    if actor.login in (have.actor.login, holder.author if holder else have.actor.login):
        return None
    return Refused(
        "permission",
        f"{target} is locked by {have.owner}. Unlocking it needs the `maintain` role; you have `{role}`.",
        f"Ask {have.actor.name} or a maintainer.",
    )


def release_of_pull(context: Context, repository: str, number: int, why: str) -> None:
    """Release the locks of a merged or closed pull request and take it off the waiting lists."""
    with context.store.begin() as tables:
        tables.locks.forget_waiters(repository=repository, pull=number)
        held = tables.locks.of_pull(repository, number)
    for have in held:
        if _release(context, have.target):  # a running apply keeps its lock; the sweep releases it later
            tell_waiters(context, have.target, f"#{number} was {why}")


def sweep_locks(context: Context) -> None:
    """Release expired locks and those of closed pull requests whose apply has ended; notify those who wait for free
    targets. Called by the clock."""
    now = context.now()
    with context.store.read() as tables:
        over = [have.target for have in tables.locks.all() if have.expired(now) or _gone(tables, have)]
    for target in over:
        _release(context, target)
    with context.store.read() as tables:
        free = [target for target in tables.locks.waiting() if tables.locks.get(target) is None]
    for target in free:
        tell_waiters(context, target, "The lock was released")


def refresh_holders(context: Context) -> None:
    """Refresh the pull requests that hold locks: a `closed` event that never arrived must not lock a target forever."""
    with context.store.read() as tables:
        holders = {(have.target.repository, have.pull) for have in tables.locks.all() if have.pull}
    for repository, number in sorted(holders):
        context.refresh(repository, number)


def tell_waiters(context: Context, target: Target, why: str) -> None:
    """Give each waiting pull request a fresh plan and a message. Nothing is applied unread.

    A waiter is removed in the transaction that notifies it; those who could not be notified are left to the sweep.
    """
    with context.store.read() as tables:
        waiters = tables.locks.waiters(target)
    for waiter in waiters:
        try:
            _tell(context, waiter, why)
        except (ForgeError, TransientError, UserError) as error:
            log.warning(
                "a waiting pull request could not be notified yet", pull=waiter.pull, error=str(error)[:200]
            )


def _tell(context: Context, waiter: Waiter, why: str) -> None:
    target = waiter.target
    pull = context.refresh(target.repository, waiter.pull)
    try:
        pull_context = load_pull_context(context, pull) if pull.state == "open" else None
    except Refusal:
        pull_context = None
    if pull_context is None:
        with context.store.begin() as tables:
            tables.locks.forget_waiters(target=target, pull=waiter.pull)
        return
    seed = f"free:{target.key}:{waiter.pull}:{waiter.since.isoformat()}"
    request_plans(context, PlanRequest(pull_context, (target,), waiter.actor, Origin(delivery=seed), seed))
    next_step = f"Read it, then run `{command('apply', target)}`."
    if changed_on_base(context, pull_context, target.stack):
        next_step = f"`{pull.base_ref}` changed this stack: update the branch before you apply."
    text = f"{why}: {target} is free. {waiter.actor.name}, a fresh plan is running."
    with context.store.begin() as tables:
        tables.locks.forget_waiters(target=target, pull=waiter.pull)
        context.tell(
            tables, Origin(delivery=seed), target.repository, waiter.pull, Notice(text, next_step, "good")
        )


def _release(context: Context, target: Target) -> bool:
    """Release a lock that expired or whose pull request is closed. Returns False during an apply under it, or if somebody
    else holds it by now."""
    with context.store.begin() as tables:
        tables.locks.lock_targets(target)
        have = tables.locks.get(target)
        if have is None or not (have.expired(context.now()) or _gone(tables, have)):
            return False
        if tables.runs.changing(target):
            return False
        tables.locks.release(target)
        subject = AuditSubject(target=target, pull=have.pull)
        why = "pull request closed" if _gone(tables, have) else "expired"
        record(context, tables, "lock.released", SYSTEM, subject, held_by=have.owner, why=why)
        show_pulls(tables, context.now(), target.repository)
        if have.pull:  # a closed pull request is not among them, and may have been shown with the lock
            show_pull(tables, context.now(), target.repository, have.pull)
    return True


def _gone(tables: Tables, have: Lock) -> bool:
    pull = tables.pulls.get(have.target.repository, have.pull) if have.pull else None
    return pull is not None and pull.state != "open"
