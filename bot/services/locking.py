"""Locks: by hand with a reason, released with the pull request, and the waiting list told."""

from __future__ import annotations

from datetime import timedelta

import structlog

from bot.domain.answers import Refused
from bot.domain.gates import claimed, command
from bot.domain.lock import Lock, Waiter
from bot.domain.people import Actor, reaches
from bot.domain.ports.forge import ForgeError, Role
from bot.domain.ports.store import Tables
from bot.domain.results import Locked, Noted, Result, Unlocked
from bot.domain.run import Origin
from bot.domain.target import Target
from bot.errors import TransientError, UserError
from bot.services import freeing, planning
from bot.services.auditing import record
from bot.services.context import Context, show_pulls
from bot.services.targets import ground, moved

log = structlog.get_logger()


def lock(
    context: Context, target: Target, actor: Actor, reason: str, url: str, expires: timedelta | None
) -> Result:
    """Claim a target by hand: nobody applies there until it is released."""
    now = context.now()
    wanted = Lock(target, actor, now, reason=reason, url=url, expires_at=now + expires if expires else None)
    with context.store.begin() as tables:
        have = tables.locks.take(wanted, now)
        if have != wanted:
            return claimed(have, target)
        record(context, tables, "lock.taken", actor, target=target, reason=reason)
        show_pulls(tables, context.now(), target.repository)
    context.poke()
    return Locked(wanted)


def unlock(context: Context, target: Target, actor: Actor, role: Role) -> Result:
    """Release a lock: one's own with write, another's with maintain; never while a run works under it.

    A pull request's claim is its author's and that of whoever applied. A state lock that a laptop or a dead machine
    left is freed with it.
    """
    stuck = freeing.look(context, target)
    with context.store.begin() as tables:
        tables.locks.alone(target)
        have = tables.locks.get(target)
        if have is None or have.expired(context.now()):
            have = None
        if have is None and stuck is None:
            return Noted(f"{target} is not locked.")
        if refusal := _forbidden(tables, target, have, actor, role) or (
            stuck.forbids(actor, role) if stuck else None
        ):
            return refusal
        if busy := tables.runs.active(target=target, kind="apply"):
            return Refused(
                "busy",
                f"An apply of #{busy[0].pull} works on {target} right now, under this lock.",
                f"`/cancel` on #{busy[0].pull} stops it; then `{command('unlock', target)}`.",
            )
        if stuck and (refusal := freeing.alive(context, tables, stuck)):
            return refusal
        if have is not None:
            tables.locks.release(target)
            record(context, tables, "lock.released", actor, target=target, pull=have.pull, held_by=have.owner)
        waiters = tables.locks.waiters(target)
        show_pulls(tables, context.now(), target.repository)
    if stuck and (refusal := freeing.free(context, stuck, actor)):
        return refusal
    context.poke()
    tell(context, target, f"`{target}` was unlocked by {actor.name}")
    return Unlocked(target, actor.name, tuple(waiter.pull for waiter in waiters))


def _forbidden(tables: Tables, target: Target, have: Lock | None, actor: Actor, role: Role) -> Refused | None:
    """Whether somebody may not release that claim."""
    if have is None or reaches(role, "maintain"):
        return None
    holder = tables.pulls.get(target.repository, have.pull) if have.pull else None
    if actor.login in (have.actor.login, holder.author if holder else have.actor.login):
        return None
    return Refused(
        "permission",
        f"{target} is locked by {have.owner}; to unlock what others hold you need the `maintain` "
        f"role, you have `{role}`.",
        f"Ask {have.actor.name}, or a maintainer.",
    )


def taken(context: Context, tables: Tables, target: Target, pull: int) -> Refused | None:
    """Why pull request `pull` may not write to the target's state now: another's claim, or an apply at work."""
    have = tables.locks.get(target)
    if have is not None and have.bars(pull, context.now()):
        return claimed(have, target)
    if busy := tables.runs.active(target=target, kind="apply"):
        return Refused("busy", f"An apply of #{busy[0].pull} is at work on {target}.", "Wait for its end.")
    return None


def release_of_pull(context: Context, repository: str, number: int, why: str) -> None:
    """A merged or closed pull request lets go of everything it claims or waits for."""
    with context.store.begin() as tables:
        tables.locks.forget_waiters(repository=repository, pull=number)
        held = tables.locks.of_pull(repository, number)
    for have in held:
        if _release(
            context, have.target
        ):  # an apply under way keeps its claim; the sweep frees it in the end
            tell(context, have.target, f"#{number} was {why}")


def sweep(context: Context) -> None:
    """Free what has expired, and what closed pull requests still claim after their apply has ended; tell who waits for
    what is free, whoever was to tell them and could not."""
    now = context.now()
    with context.store.read() as tables:
        over = [have.target for have in tables.locks.all() if have.expired(now) or _gone(tables, have)]
    for target in over:
        _release(context, target)
    with context.store.read() as tables:
        free = [target for target in tables.locks.waiting() if tables.locks.get(target) is None]
    for target in free:
        tell(context, target, "The lock ended")


def refresh_holders(context: Context) -> None:
    """Ask GitHub of pull requests that claim something: a `closed` that never reached us must not lock for ever."""
    with context.store.read() as tables:
        holders = {(have.target.repository, have.pull) for have in tables.locks.all() if have.pull}
    for repository, number in sorted(holders):
        context.refresh(repository, number)


def tell(context: Context, target: Target, why: str) -> None:
    """Each pull request that waits gets a fresh plan and a word; nothing is ever applied unread.

    Who waits is forgotten in the transaction that tells them; who could not be told now is told by the sweep.
    """
    with context.store.read() as tables:
        waiters = tables.locks.waiters(target)
    for waiter in waiters:
        try:
            _tell(context, waiter, why)
        except (ForgeError, TransientError, UserError) as error:
            log.warning("somebody who waits could not be told yet", pull=waiter.pull, error=str(error)[:200])
    context.poke()


def _tell(context: Context, waiter: Waiter, why: str) -> None:
    target = waiter.target
    pull = context.refresh(target.repository, waiter.pull)
    stand = ground(context, pull)
    seed = f"free:{target.key}:{waiter.pull}:{waiter.since.isoformat()}"
    if pull.state != "open" or isinstance(stand, Refused):
        with context.store.begin() as tables:
            tables.locks.forget_waiters(target=target, pull=waiter.pull)
        return
    planning.request(context, pull, [target], stand.base_tip, waiter.actor, Origin(delivery=seed), seed)
    next_step = f"Read it, then `{command('apply', target)}`."
    if moved(context, pull, stand, target.stack):
        next_step = (
            f"`{pull.base_ref}` has moved on under it: merge that into the branch and push before you apply."
        )
    text = f"{why}: {target} is free. {waiter.actor.name}, a fresh plan is on its way."
    with context.store.begin() as tables:
        tables.locks.forget_waiters(target=target, pull=waiter.pull)
        context.tell(
            tables, Origin(delivery=seed), target.repository, waiter.pull, Noted(text, next_step, "good")
        )


def _release(context: Context, target: Target) -> bool:
    """Free a lock that has expired or whose pull request is closed; False where an apply works under it, or where
    another has claimed it meanwhile."""
    with context.store.begin() as tables:
        tables.locks.alone(target)
        have = tables.locks.get(target)
        if have is None or not (have.expired(context.now()) or _gone(tables, have)):
            return False
        if tables.runs.active(target=target, kind="apply"):
            return False
        tables.locks.release(target)
        show_pulls(tables, context.now(), target.repository)
    context.poke()
    return True


def _gone(tables: Tables, have: Lock) -> bool:
    pull = tables.pulls.get(have.target.repository, have.pull) if have.pull else None
    return pull is not None and pull.state != "open"
