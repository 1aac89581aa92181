"""States that Terraform could not upload: stored encrypted, reported, and pushed by one command."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import structlog

from bot.domain.actors import Actor
from bot.domain.chat import Notice, Result
from bot.domain.ports.state import Author, StateLocation
from bot.domain.refusal import Refusal, require
from bot.domain.run import Origin, Run
from bot.domain.states import StateInfo, StateRefused, Unsaved
from bot.domain.target import Target, command
from bot.errors import TransientError, UserError
from bot.services.audit import AuditSubject, record, record_run
from bot.services.context import Context, show_pulls, stable_id
from bot.services.directories import read_untrusted
from bot.services.states.location import lock_state
from bot.services.states.write_access import refuse_claimed

log = structlog.get_logger()

NAME = "errored.tfstate"
"""The file in the root module's directory to which Terraform writes a state that it cannot upload."""
MAX_BYTES = 512 << 20
"""Largest state that is kept. Terraform has no limit."""


def clear_unsaved(root: Path) -> None:
    """Remove the file before an apply, so that one found afterwards is Terraform's and not the repository's."""
    (root / NAME).unlink(missing_ok=True)


def keep_unsaved(context: Context, run: Run) -> Unsaved | None:
    """Store the state that the run's Terraform could not upload, and delete the unencrypted file. Returns None if there is
    none. Repeating it changes nothing."""
    with context.store.read() as tables:
        plan = tables.plans.get(run.plan_id)
        known = next((one for one in tables.unsaved.open([run.target]) if one.run_id == run.id), None)
    if plan is None:
        return known
    path = Path(plan.root) / NAME
    data = read_untrusted(Path(plan.worktree), path, MAX_BYTES)
    if known is not None:
        if data is not None and hashlib.sha256(data).hexdigest() == known.sha256:
            path.unlink()  # a crash came between storing it and this
        return known
    if data is None:
        return None
    try:
        info = StateInfo.parse(data)
    except ValueError:
        log.warning("the state that Terraform left cannot be parsed", run=run.id, bytes=len(data))
        return None
    base_known, base = True, None
    try:
        base = _info(context.backends.location(run.target, context.backends.restore(plan.backend)).read())
    except (UserError, TransientError):
        base_known = False
    if base is not None and base.sha256 == info.sha256:
        path.unlink()
        return None
    unsaved = Unsaved(
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
        tables.unsaved.keep(unsaved, data)
        record_run(context, tables, "state.unsaved", run, serial=info.serial, sha256=info.sha256)
        show_pulls(tables, context.now(), run.target.repository)
    path.unlink()
    return unsaved


def unsaved_notes(context: Context, targets: Iterable[Target]) -> list[str]:
    """Return a sentence for each state that could not be uploaded yet."""
    with context.store.read() as tables:
        unsaved = tables.unsaved.open(targets)
    return [
        f"**The state of {one.target} could not be uploaded** after the apply of #{one.pull} (serial {one.serial}, "
        f"{one.created_at:%Y-%m-%d %H:%M} UTC). Towpath kept it, and applies are blocked until you run `{command('push-state', one.target)}`."
        for one in unsaved
    ]


def push_unsaved(context: Context, target: Target, actor: Actor, origin: Origin) -> Result:
    """Write the kept state to the backend, under the state's lock. Raises Refusal if the backend's state was changed since,
    another pull request has locked the target, or an apply is running. Repeated after a crash it still has the lock,
    and releases it at the end."""
    with context.store.begin() as tables:
        tables.locks.lock_targets(target)
        state = next(iter(tables.unsaved.open([target])), None)
        if state is None:
            return Notice(f"{target} has no state to push.")
        require(refuse_claimed(context, tables, target, state.pull))
        data = tables.unsaved.data(state.id)
    author = Author(state.run_id, state.commit, actor.login)
    location = context.backends.location(target, context.backends.restore(state.backend), author)
    lock_id = stable_id(origin.delivery, origin.index, target.key, "push-state")
    lock = lock_state(context, location, target, actor, "push-state", lock_id)
    try:
        pushed, detail = _write(location, state, data, lock.id)
    finally:
        location.unlock(lock.id)
    if not pushed:
        raise _overtaken(context, state, actor, detail)
    return _end(context, state, data, actor, detail)


def _write(location: StateLocation, state: Unsaved, data: bytes, lock_id: str) -> tuple[bool, str]:
    """Write the state. Returns whether the backend has it now, and a sentence or the reason."""
    current = _info(location.read())
    if current is not None and current.sha256 == state.sha256:
        return True, "The backend already had it."
    if state.backend_changed(current):
        return False, f"the backend has serial {current.serial if current else 0}, written by someone else"
    try:
        location.write(data, lock_id)
    except StateRefused as refused:
        return False, str(refused)
    return True, f"The backend has serial {state.serial} now."


def _overtaken(context: Context, state: Unsaved, actor: Actor, why: str) -> Refusal:
    target = state.target
    with context.store.begin() as tables:
        tables.unsaved.end(state.id, "overtaken", context.now())
        record(
            context,
            tables,
            "state.overtaken",
            actor,
            AuditSubject(target=target, pull=state.pull, run_id=state.run_id),
            why=why,
        )
        show_pulls(tables, context.now(), target.repository)
    return Refusal(
        "moved-on",
        f"The state of {target} was changed since that apply, so the kept state was not pushed: {why}.",
        f"Run `{command('plan', target)}` to see what differs; import what the apply of #{state.pull} created, or delete it. "
        f"Your Towpath operator can get the kept state with `towpath state unsaved {target.key}`.",
    )


def _end(context: Context, state: Unsaved, data: bytes, actor: Actor, detail: str) -> Result:
    target = state.target
    with context.store.begin() as tables:
        tables.states.append(
            target.key,
            data,
            StateInfo.parse(data),
            Author(state.run_id, state.commit, actor.login),
            observed=True,
        )
        tables.unsaved.end(state.id, "pushed", context.now())
        record(
            context,
            tables,
            "state.pushed",
            actor,
            AuditSubject(target=target, pull=state.pull, run_id=state.run_id),
            serial=state.serial,
            sha256=state.sha256,
        )
        show_pulls(tables, context.now(), target.repository)
    return Notice(
        f"Pushed the state of {target} from the apply of #{state.pull}. {detail}",
        f"Run `{command('plan', target)}` to see what is left to do.",
        "good",
    )


def _info(data: bytes | None) -> StateInfo | None:
    return StateInfo.parse(data) if data else None
