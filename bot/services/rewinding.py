"""`/revert <env> --state-only <serial>`: break-glass. The record goes back and the world does not: what that leaves
without a state, and what the state then only believes in, is named and must be acknowledged."""

from __future__ import annotations

from bot.domain import json_text
from bot.domain.addresses import objects, spell
from bot.domain.answers import Refused
from bot.domain.gates import command
from bot.domain.lock import Lock
from bot.domain.people import Actor
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.state import Author, StatePlace
from bot.domain.ports.store import Tables
from bot.domain.results import Noted, Result
from bot.domain.run import Origin
from bot.domain.state import StateInfo, StateRefused, StateVersion
from bot.domain.target import Target
from bot.domain.words import outside
from bot.services import planning
from bot.services.auditing import record
from bot.services.context import Context, show_pulls, stable_id
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

    Nothing in the world changes. Refused for those whom the policy's `force` does not name. Entered again after a crash
    it goes on where it was: the claim says whether the state is written.
    """
    if no := may_force(
        context,
        stand.policy.environments[target.environment],
        actor,
        f"{command('revert', target)} --state-only {serial}",
        f"`{command('revert', target)}` goes back by a plan that people read.",
    ):
        return no
    backend = backend_of(context, target, stand.policy)
    with context.store.read() as tables:
        version = tables.states.numbered(target.key, serial)
        then = tables.states.data(version.id) if version else b""
        claim = tables.locks.get(target)
    author = Author("", version.commit, actor.login, version.id) if version else None
    place = context.backends.place(target, backend, author)
    now = place.read()
    if version is None or now is None:
        what = f"no version with serial {serial}" if version is None else "no state now"
        return Refused("no-version", f"{target} has {what}.", f"`{command('history', target)}` lists them.")
    if StateInfo.parse(now).lineage != version.lineage:
        return Refused(
            "other-lineage", f"Serial {serial} of {target} is of another lineage.", "Name a newer version."
        )
    lock_id = stable_id(origin.delivery, origin.index, target.key, "state-only")
    if _same(now, then):
        place.unlock(lock_id)  # it was written by this very request, which did not come to its end
        if not _claims(claim, actor, serial):
            return Noted(
                f"The state of {target} is that of serial {serial} already.",
                f"`{command('plan', target)}` shows what it leaves to do.",
            )
    else:
        orphans, ghosts = _apart(now, then)
        if acknowledged != (len(orphans), len(ghosts)):
            return _unacknowledged(target, serial, orphans, ghosts)
        if no := _claim(context, target, pull, actor, serial):
            return no
        if no := _write(context, place, target, actor, then, lock_id):
            _give_back(context, target, actor, serial)
            return no
    _written(context, place, target, pull, actor, version)
    seed = f"{origin.id}:state-only"
    planning.request(context, pull, [target], stand.base_tip, actor, origin, seed)
    return Noted(
        f"The state of {target} is that of serial {serial} again; nothing in the world was changed. It is being "
        "planned, and nothing is applied there until somebody accepts that plan.",
        f"Read it; then `{command('unlock', target)}` accepts it.",
        "warning",
    )


def _same(now: bytes, then: bytes) -> bool:
    """Whether they differ in their serials alone."""
    return json_text.changed(now, serial=0) == json_text.changed(then, serial=0)


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
    return ", ".join(f"`{outside(one)}`" for one in addresses[:SHOWN]) + more


def _claims(have: Lock | None, actor: Actor, serial: int) -> bool:
    """Whether it is the claim of this actor's way to that serial."""
    return (
        have is not None
        and not have.pull
        and have.actor.login == actor.login
        and have.reason in (_writing(serial), _waiting(serial))
    )


def _writing(serial: int) -> str:
    return f"state-only revert to serial {serial}, which is being written"


def _waiting(serial: int) -> str:
    return f"state-only revert to serial {serial}: to unlock it accepts its plan"


def _claim(context: Context, target: Target, pull: PullRequest, actor: Actor, serial: int) -> Refused | None:
    """Lock the target by hand, so that nothing is applied from here until the plan was accepted."""
    with context.store.begin() as tables:
        tables.locks.alone(target)
        if _claims(tables.locks.get(target), actor, serial):
            return None
        if no := taken(context, tables, target, pull.number):
            return no
        _take(context, tables, target, pull, actor, _writing(serial))
    return None


def _take(
    context: Context, tables: Tables, target: Target, pull: PullRequest, actor: Actor, reason: str
) -> None:
    tables.locks.release(target)
    tables.locks.take(Lock(target, actor, context.now(), reason=reason, url=pull.url), context.now())
    show_pulls(tables, context.now(), target.repository)


def _give_back(context: Context, target: Target, actor: Actor, serial: int) -> None:
    """Nothing was written: nobody has to accept anything."""
    with context.store.begin() as tables:
        tables.locks.alone(target)
        if _claims(tables.locks.get(target), actor, serial):
            tables.locks.release(target)
            show_pulls(tables, context.now(), target.repository)


def _write(
    context: Context, place: StatePlace, target: Target, actor: Actor, then: bytes, lock_id: str
) -> Refused | None:
    """Under the state's lock, whose id is the request's: entered again it has it still."""
    lock = hold(context, place, target, actor, "revert --state-only", lock_id)
    if isinstance(lock, Refused):
        return lock
    try:
        current = StateInfo.parse(place.read() or b"")
        place.write(json_text.changed(then, serial=current.serial + 1, lineage=current.lineage), lock.id)
    except (StateRefused, ValueError) as error:
        return Refused("state-refused", f"The state of {target} could not be written: {error}.", "")
    finally:
        place.unlock(lock.id)
    return None


def _written(
    context: Context,
    place: StatePlace,
    target: Target,
    pull: PullRequest,
    actor: Actor,
    version: StateVersion,
) -> None:
    """Record it, and that its plan is to be accepted; once."""
    data = place.read() or b""
    info = StateInfo.parse(data)
    with context.store.begin() as tables:
        tables.locks.alone(target)
        have = tables.locks.get(target)
        if have is not None and have.reason == _waiting(version.serial):
            return
        _take(context, tables, target, pull, actor, _waiting(version.serial))
        tables.states.append(
            target.key,
            data,
            info,
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
            serial=info.serial,
            to=version.serial,
            sha256=version.sha256,
        )
