"""`/revert <env> --state-only <serial>`: break-glass. The record goes back and the world does not: what that leaves
without a state, and what the state then only believes in, is named and must be acknowledged."""

from __future__ import annotations

import json

from bot.domain.addresses import objects, spell
from bot.domain.answers import Refused
from bot.domain.gates import command
from bot.domain.lock import Lock
from bot.domain.people import Actor
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.state import Author
from bot.domain.results import Noted, Result
from bot.domain.run import Origin
from bot.domain.state import StateInfo, StateRefused, StateVersion
from bot.domain.target import Target
from bot.services import planning
from bot.services.auditing import record
from bot.services.context import Context, show_pull
from bot.services.forcing import may_force
from bot.services.locking import taken
from bot.services.targets import Ground
from bot.services.whereabouts import backend_of, hold

SHOWN = 20
"""Addresses that are named of each kind; the rest are counted."""


def rewind(
    context: Context,
    pull: PullRequest,
    stand: Ground,
    target: Target,
    actor: Actor,
    origin: Origin,
    serial: int,
    acknowledged: tuple[int, int] | None,
) -> Result:
    """Write the state of `serial` again, with a serial above the current one and the same lineage; then plan, and keep
    the target locked until somebody accepts that plan. acknowledged: how many orphans and ghosts the asker has named.

    Nothing in the world changes. Refused for those whom the policy's `force` does not name.
    """
    if no := may_force(context, stand.policy.environments[target.environment], actor):
        return no
    backend = backend_of(context, target, stand.policy)
    with context.store.read() as tables:
        version = tables.states.numbered(target.key, serial)
        then = tables.states.data(version.id) if version else b""
    now = context.backends.place(target, backend).read()
    if version is None or now is None:
        what = f"no version with serial {serial}" if version is None else "no state now"
        return Refused("no-version", f"{target} has {what}.", f"`{command('history', target)}` lists them.")
    if StateInfo.parse(now).lineage != version.lineage:
        return Refused(
            "other-lineage", f"Serial {serial} of {target} is of another lineage.", "Name a newer version."
        )
    orphans, ghosts = _apart(now, then)
    if acknowledged != (len(orphans), len(ghosts)):
        return _unacknowledged(target, serial, orphans, ghosts)
    if no := _claim(context, target, pull, actor, serial):
        return no
    if no := _write(context, target, stand, actor, version, then):
        return no
    seed = f"{origin.delivery}:{origin.index}:state-only"
    planning.request(context, pull, [target], stand.base_tip, actor, origin, seed)
    return Noted(
        f"The state of {target} is that of serial {serial} again; nothing in the world was changed. It is being "
        "planned, and nothing is applied there until somebody accepts that plan.",
        f"Read it; then `{command('unlock', target)}` accepts it.",
        "warning",
    )


def _apart(now: bytes, then: bytes) -> tuple[list[str], list[str]]:
    """Orphans: in the state now and not in that one, so that no state will know them. Ghosts: the other way round."""
    have, had = set(objects(now)), set(objects(then))
    return sorted(spell(one) for one in have - had), sorted(spell(one) for one in had - have)


def _unacknowledged(target: Target, serial: int, orphans: list[str], ghosts: list[str]) -> Refused:
    return Refused(
        "unacknowledged",
        f"This changes the record and not the world. Orphans, which exist and no state would know: {_named(orphans)}. "
        f"Ghosts, which the state would believe in: {_named(ghosts)}.",
        f"`{command('revert', target)} --state-only {serial} --orphans {len(orphans)} --ghosts {len(ghosts)}` says that "
        "you know.",
    )


def _named(addresses: list[str]) -> str:
    if not addresses:
        return "none"
    more = f" and {len(addresses) - SHOWN} more" if len(addresses) > SHOWN else ""
    return ", ".join(f"`{one}`" for one in addresses[:SHOWN]) + more


def _claim(context: Context, target: Target, pull: PullRequest, actor: Actor, serial: int) -> Refused | None:
    """Lock the target by hand, so that nothing is applied from here until the plan was accepted."""
    with context.store.begin() as tables:
        tables.locks.alone(target)
        if no := taken(context, tables, target, pull.number):
            return no
        tables.locks.release(target)
        reason = f"state-only revert to serial {serial}: to unlock it accepts its plan"
        tables.locks.take(Lock(target, actor, context.now(), reason=reason, url=pull.url), context.now())
        for one in tables.pulls.open(target.repository):
            show_pull(tables, context.now(), one.repository, one.number)
    return None


def _write(
    context: Context, target: Target, stand: Ground, actor: Actor, version: StateVersion, then: bytes
) -> Refused | None:
    backend = backend_of(context, target, stand.policy)
    place = context.backends.place(target, backend, Author("", version.commit, actor.login))
    lock = hold(context, place, target, actor, "revert --state-only")
    if isinstance(lock, Refused):
        return lock
    try:
        current = StateInfo.parse(place.read() or b"")
        document = {**json.loads(then), "serial": current.serial + 1, "lineage": current.lineage}
        data = json.dumps(document, indent=2).encode()
        place.write(data, lock.id)
    except (StateRefused, ValueError) as error:
        return Refused("state-refused", f"The state of {target} could not be written: {error}.", "")
    finally:
        place.unlock(lock.id)
    with context.store.begin() as tables:
        tables.states.append(
            target.key,
            data,
            StateInfo.parse(data),
            commit=version.commit,
            actor=actor.login,
            observed=True,
            reverts=version.id,
        )
        record(
            context,
            tables,
            "state.rewound",
            actor,
            target=target,
            serial=current.serial + 1,
            to=version.serial,
            sha256=version.sha256,
        )
    return None
