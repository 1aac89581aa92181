"""`/revert <env> --state-only <serial>`: break-glass. It restores an old state and changes no resources. Orphans (resources
that no state knows) and ghosts (resources that only the state knows) are listed and must be acknowledged."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.actors import Actor
from bot.domain.chat import Notice, Result
from bot.domain.lock import Lock
from bot.domain.plans import change_json
from bot.domain.ports.state import Author, StateLocation
from bot.domain.ports.store import Tables
from bot.domain.refusal import Refusal, require
from bot.domain.run import Origin
from bot.domain.sanitize import outside
from bot.domain.states import StateInfo, StateRefused, StateVersion, objects, spell_address
from bot.domain.target import Target, command
from bot.services.approvals import refuse_force
from bot.services.audit import AuditSubject, record
from bot.services.context import Context, show_pulls, stable_id
from bot.services.plans import PlanRequest, request_plans
from bot.services.states import backend_of, lock_state, refuse_claimed
from bot.services.targets import PullContext

SHOWN = 20
"""Addresses that are listed of each kind; the rest are counted."""


@dataclass(frozen=True)
class RestoreRequest:
    """One request to restore a state. serial: of the recorded version. acknowledged: how many orphans and ghosts the
    requester has counted, None before they were told."""

    pull_context: PullContext
    target: Target
    actor: Actor
    origin: Origin
    serial: int
    acknowledged: tuple[int, int] | None = None

    @property
    def lock_id(self) -> str:
        """The id of the state's lock. Run again after a crash, the request still holds it."""
        return stable_id(self.origin.delivery, self.origin.index, self.target.key, "state-only")


def restore_state(context: Context, request: RestoreRequest) -> Result:
    """Write the state of `serial` again, with a new serial and the same lineage; then plan, and keep the target locked
    until somebody accepts that plan.

    No resource changes. Raises Refusal for people whom the policy's `force` does not name. Run again after a crash, it
    continues: the target's lock says whether the state is written.
    """
    target, serial = request.target, request.serial
    environment = request.pull_context.policy.environments[target.environment]
    how = f"{command('revert', target)} --state-only {serial}"
    instead = f"`{command('revert', target)}` reverts with a plan that people review."
    require(refuse_force(context, environment, request.actor, how, instead))
    backend = backend_of(context, target, request.pull_context.policy)
    with context.store.read() as tables:
        version = tables.states.numbered(target.key, serial)
        then = tables.states.data(version.id) if version else b""
    author = Author("", version.commit, request.actor.login, version.id) if version else None
    location = context.backends.location(target, backend, author)
    now = location.read()
    if version is None or now is None:
        what = f"no version with serial {serial}" if version is None else "no state now"
        raise Refusal("no-version", f"{target} has {what}.", f"`{command('history', target)}` lists them.")
    if StateInfo.parse(now).lineage != version.lineage:
        raise Refusal(
            "other-lineage", f"Serial {serial} of {target} has another lineage.", "Name a newer version."
        )
    if (answer := _write_again(context, request, location, now, then)) is not None:
        return answer
    _record(context, request, location, version)
    seed = f"{request.origin.id}:state-only"
    plan = PlanRequest(request.pull_context, (target,), request.actor, request.origin, seed, limited=False)
    request_plans(context, plan)
    return Notice(
        f"Restored the state of {target} from serial {serial}; no resource was changed. A plan is running, and "
        "nothing is applied until somebody accepts it.",
        f"Read it, then run `{command('unlock', target)}` to accept it.",
        "warning",
    )


def _write_again(
    context: Context, request: RestoreRequest, location: StateLocation, now: bytes, then: bytes
) -> Notice | None:
    """Lock the target and write the state. Returns a notice if the state is already there. Raises Refusal."""
    target = request.target
    if _same(now, then):
        location.unlock(request.lock_id)  # this request wrote it before a crash
        with context.store.read() as tables:
            if _claims(tables.locks.get(target), request):
                return None
        return Notice(
            f"The state of {target} already equals serial {request.serial}.",
            f"Run `{command('plan', target)}` to see what is left to do.",
        )
    orphans, ghosts = _apart(now, then)
    if request.acknowledged != (len(orphans), len(ghosts)):
        raise _unacknowledged(target, request.serial, orphans, ghosts)
    _claim(context, request)
    try:
        _write(context, request, location, then)
    except Refusal:
        _give_back(context, request)
        raise
    return None


def _same(now: bytes, then: bytes) -> bool:
    """Whether two states differ only in their serials."""
    return change_json(now, serial=0) == change_json(then, serial=0)


def _apart(now: bytes, then: bytes) -> tuple[list[str], list[str]]:
    """Return orphans (in the current state only, so no state will know them) and ghosts (in the old state only)."""
    have, had = set(objects(now)), set(objects(then))
    return sorted(spell_address(one) for one in have - had), sorted(spell_address(one) for one in had - have)


def _unacknowledged(target: Target, serial: int, orphans: list[str], ghosts: list[str]) -> Refusal:
    return Refusal(
        "unacknowledged",
        f"This changes the state, not the resources. Orphans (exist, but in no state): {_named(orphans)}. "
        f"Ghosts (in the state, but may not exist): {_named(ghosts)}.",
        f"`{command('revert', target)} --state-only {serial} --orphans {len(orphans)} --ghosts {len(ghosts)}` to "
        "confirm.",
    )


def _named(addresses: list[str]) -> str:
    if not addresses:
        return "none"
    more = f" and {len(addresses) - SHOWN} more" if len(addresses) > SHOWN else ""
    return ", ".join(f"`{outside(one)}`" for one in addresses[:SHOWN]) + more


def _claims(lock: Lock | None, request: RestoreRequest) -> bool:
    """Whether it is the lock under which this person restores that serial."""
    return lock is not None and (lock.actor.login, lock.restores) == (request.actor.login, request.serial)


def _claim(context: Context, request: RestoreRequest) -> None:
    """Lock the target by hand, so that nothing is applied until the plan is accepted."""
    with context.store.begin() as tables:
        tables.locks.lock_targets(request.target)
        if _claims(tables.locks.get(request.target), request):
            return
        require(refuse_claimed(context, tables, request.target, request.pull_context.pull.number))
        _take(context, tables, request, restored=False)


def _take(context: Context, tables: Tables, request: RestoreRequest, *, restored: bool) -> None:
    says = ": unlocking accepts its plan" if restored else ", which is being written"
    lock = Lock(
        request.target,
        request.actor,
        context.now(),
        reason=f"state-only revert to serial {request.serial}{says}",
        url=request.pull_context.pull.url,
        restores=request.serial,
        restored=restored,
    )
    tables.locks.release(request.target)
    tables.locks.take(lock, context.now())
    show_pulls(tables, context.now(), request.target.repository)


def _give_back(context: Context, request: RestoreRequest) -> None:
    """Release the target's lock, since nothing was written."""
    with context.store.begin() as tables:
        tables.locks.lock_targets(request.target)
        if _claims(tables.locks.get(request.target), request):
            tables.locks.release(request.target)
            show_pulls(tables, context.now(), request.target.repository)


def _write(context: Context, request: RestoreRequest, location: StateLocation, then: bytes) -> None:
    """Write it under the state's lock. Raises Refusal."""
    target = request.target
    lock = lock_state(context, location, target, request.actor, "revert --state-only", request.lock_id)
    try:
        current = StateInfo.parse(location.read() or b"")
        location.write(change_json(then, serial=current.serial + 1, lineage=current.lineage), lock.id)
    except (StateRefused, ValueError) as error:
        raise Refusal("state-refused", f"The state of {target} could not be written: {error}.") from error
    finally:
        location.unlock(lock.id)


def _record(
    context: Context, request: RestoreRequest, location: StateLocation, version: StateVersion
) -> None:
    """Record the restored state and that its plan must be accepted; once."""
    data = location.read() or b""
    info = StateInfo.parse(data)
    with context.store.begin() as tables:
        tables.locks.lock_targets(request.target)
        lock = tables.locks.get(request.target)
        if lock is not None and lock.restored and lock.restores == version.serial:
            return
        _take(context, tables, request, restored=True)
        tables.states.append(
            request.target.key,
            data,
            info,
            Author(commit=version.commit, actor=request.actor.login, reverts=version.id),
            observed=True,
        )
        record(
            context,
            tables,
            "state.rewound",
            request.actor,
            AuditSubject(target=request.target),
            serial=info.serial,
            to=version.serial,
            sha256=version.sha256,
        )
