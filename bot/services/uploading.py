"""A state that Terraform could not upload: kept sealed, told, and pushed by one command."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import structlog

from bot.domain.answers import Refused
from bot.domain.gates import command
from bot.domain.people import Actor
from bot.domain.ports.state import Author, StatePlace
from bot.domain.results import Noted, Result
from bot.domain.run import Origin, Run
from bot.domain.state import StateInfo, StateRefused
from bot.domain.target import Target
from bot.domain.unsaved import Unsaved
from bot.errors import TransientError, UserError
from bot.services.auditing import record, record_run
from bot.services.context import Context, show_pulls, stable_id
from bot.services.locking import taken
from bot.services.whereabouts import hold

log = structlog.get_logger()

NAME = "errored.tfstate"
"""Terraform: where it writes a state that it cannot upload, in the root module's directory."""
LARGEST = 512 << 20
"""Bytes of one that is kept; Terraform knows no limit."""


def clear(root: Path) -> None:
    """Before an apply: what is there under that name afterwards is Terraform's own, not the repository's."""
    (root / NAME).unlink(missing_ok=True)


def keep(context: Context, run: Run) -> Unsaved | None:
    """Keep what the run's Terraform could not upload, and take it from the disk, where it is in clear. None where
    there is nothing. Done again it changes nothing."""
    with context.store.read() as tables:
        plan = tables.plans.get(run.plan_id)
        known = next((one for one in tables.unsaved.open([run.target]) if one.run_id == run.id), None)
    if plan is None or known is not None:
        return known
    path = Path(plan.root) / NAME
    data = _read(path)
    if data is None:
        return None
    try:
        info = StateInfo.parse(data)
    except ValueError:
        log.warning("what Terraform left of a state cannot be read", run=run.id, bytes=len(data))
        return None
    base_known, base = True, None
    try:
        base = _info(context.backends.place(run.target, context.backends.restore(plan.backend)).read())
    except (UserError, TransientError):
        base_known = False
    if base is not None and base.sha256 == info.sha256:
        path.unlink()
        return None
    found = Unsaved(
        id=stable_id(run.id, NAME),
        target=run.target,
        run_id=run.id,
        pull=run.pull,
        commit=run.commit,
        login=run.actor.login,
        lineage=info.lineage,
        serial=info.serial,
        sha256=info.sha256,
        size=info.size,
        plan_serial=plan.serial,
        base_known=base_known,
        base_sha256=base.sha256 if base else "",
        created_at=context.now(),
        backend=plan.backend,
    )
    with context.store.begin() as tables:
        tables.unsaved.keep(found, data)
        record_run(context, tables, "state.unsaved", run, serial=info.serial, sha256=info.sha256)
        show_pulls(tables, context.now(), run.target.repository)
    path.unlink()
    context.poke()
    return found


def notes(context: Context, targets: Iterable[Target]) -> list[str]:
    """A sentence for each state that waits to be pushed."""
    with context.store.read() as tables:
        waiting = tables.unsaved.open(targets)
    return [
        f"**The state of {one.target} could not be uploaded** after the apply of #{one.pull} (serial {one.serial}, "
        f"{one.created_at:%Y-%m-%d %H:%M} UTC). It is kept, and applies wait for it: `{command('push-state', one.target)}` pushes it."
        for one in waiting
    ]


def push(context: Context, target: Target, actor: Actor, origin: Origin) -> Result:
    """Write the kept state after the one it was made of, under the state's lock. Refused where the backend moved on,
    where somebody else claims the target, or while an apply works there. Entered again after a crash it has the lock
    still, and lets go of it before it is over."""
    with context.store.begin() as tables:
        tables.locks.alone(target)
        state = next(iter(tables.unsaved.open([target])), None)
        if state is None:
            return Noted(f"There is no state of {target} that waits to be pushed.")
        if no := taken(context, tables, target, state.pull):
            return no
        data = tables.unsaved.data(state.id)
    author = Author(state.run_id, state.commit, actor.login)
    place = context.backends.place(target, context.backends.restore(state.backend), author)
    lock_id = stable_id(origin.delivery, origin.index, target.key, "push-state")
    lock = hold(context, place, target, actor, "push-state", lock_id)
    if isinstance(lock, Refused):
        return lock
    try:
        pushed, how = _write(place, state, data, lock.id)
    finally:
        place.unlock(lock.id)
    return _end(context, state, data, actor, how) if pushed else _overtaken(context, state, actor, how)


def _write(place: StatePlace, state: Unsaved, data: bytes, lock_id: str) -> tuple[bool, str]:
    """Whether it is there now, and a word on that."""
    current = _info(place.read())
    if current is not None and current.sha256 == state.sha256:
        return True, "It was there already."
    if state.moved_on(current):
        return False, f"the backend is at serial {current.serial if current else 0} of somebody else's"
    try:
        place.write(data, lock_id)
    except StateRefused as refused:
        return False, str(refused)
    return True, f"It has serial {state.serial} now."


def _overtaken(context: Context, state: Unsaved, actor: Actor, why: str) -> Refused:
    target = state.target
    with context.store.begin() as tables:
        tables.unsaved.end(state.id, "overtaken", context.now())
        record(
            context,
            tables,
            "state.overtaken",
            actor,
            target=target,
            pull=state.pull,
            run_id=state.run_id,
            why=why,
        )
        show_pulls(tables, context.now(), target.repository)
    context.poke()
    return Refused(
        "moved-on",
        f"The state of {target} was changed since that apply, so what was kept is not pushed over it: {why}.",
        f"`{command('plan', target)}` shows what differs; import what the apply of #{state.pull} made, or remove it. "
        f"Whoever runs Towpath gets what was kept with `towpath state unsaved {target.key}`.",
    )


def _end(context: Context, state: Unsaved, data: bytes, actor: Actor, how: str) -> Result:
    target = state.target
    with context.store.begin() as tables:
        tables.states.append(
            target.key,
            data,
            StateInfo.parse(data),
            run_id=state.run_id,
            commit=state.commit,
            actor=actor.login,
            observed=True,
        )
        tables.unsaved.end(state.id, "pushed", context.now())
        record(
            context,
            tables,
            "state.pushed",
            actor,
            target=target,
            pull=state.pull,
            run_id=state.run_id,
            serial=state.serial,
            sha256=state.sha256,
        )
        show_pulls(tables, context.now(), target.repository)
    context.poke()
    return Noted(
        f"The state of {target} that the apply of #{state.pull} left is pushed. {how}",
        f"`{command('plan', target)}` shows what is left to do.",
        "good",
    )


def _read(path: Path) -> bytes | None:
    """What Terraform wrote there; None where there is no such file, or only a link, or one that is too large."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            data = file.read(LARGEST + 1)
    except OSError:
        return None
    return data if len(data) <= LARGEST else None


def _info(data: bytes | None) -> StateInfo | None:
    return StateInfo.parse(data) if data else None
