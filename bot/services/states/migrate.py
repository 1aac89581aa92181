"""Move a target's state to another backend: copy it under both locks and compare. The old copy stays."""

from __future__ import annotations

import uuid
from contextlib import ExitStack
from dataclasses import dataclass, replace

from bot.domain.actors import SYSTEM
from bot.domain.gates import refuse_locked
from bot.domain.lock import Lock
from bot.domain.policy import PATH, BackendPolicy, Policy
from bot.domain.ports.state import Author, StateLocation
from bot.domain.ports.terraform import Backend
from bot.domain.states import LockInfo, StateInfo, StateRefused
from bot.domain.target import Target, command
from bot.errors import UserError
from bot.services.audit import AuditSubject, record
from bot.services.context import Context, show_pulls
from bot.services.states.location import backend_of
from bot.services.targets import default_policy


@dataclass(frozen=True)
class MigratedState:
    """A completed migration. policy: the lines that the policy needs now. others: environments of the same stack, which
    these lines affect too."""

    target: Target
    source: Backend
    destination: Backend
    state: StateInfo
    policy: str
    others: tuple[str, ...]


def migrate_state(context: Context, target: Target, wanted: BackendPolicy) -> MigratedState:
    """Copy the state to the backend `wanted`, and verify that both copies are identical.

    The target stays locked afterwards: until the policy names the new backend, an apply would write to the old one.
    Raises UserError if the policy already names it, the target is locked or has an active run, a state lock is held,
    there is no state, or the new place has another state.
    """
    policy = default_policy(context, target.repository)
    if policy is None or target.stack not in policy.stacks or target.environment not in policy.environments:
        raise UserError(
            f"The policy of {target.repository} has no target {target}.", next_step="Check its spelling."
        )
    source = backend_of(context, target, policy)
    destination = _destination(context, target, policy, wanted)
    if (source.kind, dict(source.config)) == (destination.kind, dict(destination.config)):
        raise UserError(
            f"The policy already has this backend for {target}.",
            next_step=f"Restore the old lines in `{PATH}`, move the state, then change the policy.",
        )
    _lock_target(context, target, wanted)
    try:
        info = _copy(context, target, source, destination)
    except BaseException:
        with context.store.begin() as tables:
            tables.locks.release(target)
        raise
    with context.store.begin() as tables:
        record(
            context,
            tables,
            "state.moved",
            SYSTEM,
            AuditSubject(target=target),
            source=source.kind,
            destination=destination.kind,
            serial=info.serial,
            sha256=info.sha256,
        )
        show_pulls(tables, context.now(), target.repository)
    stack = policy.stacks[target.stack]
    others = [env.name for env in policy.environments_of(stack) if env.name != target.environment]
    return MigratedState(target, source, destination, info, _lines(target, wanted), tuple(others))


def _destination(context: Context, target: Target, policy: Policy, wanted: BackendPolicy) -> Backend:
    stack = replace(policy.stacks[target.stack], backend=wanted)
    backend = context.backends.backend(
        target, replace(policy, stacks={**policy.stacks, target.stack: stack}), "", ("", "")
    )
    return Backend(backend.kind, backend.config)


def _lock_target(context: Context, target: Target, wanted: BackendPolicy) -> None:
    with context.store.begin() as tables:
        tables.locks.lock_targets(target)
        lock = tables.locks.get(target)
        if lock is not None and not lock.expired(context.now()):
            refusal = refuse_locked(lock, target)
            raise UserError(refusal.fact, next_step=refusal.next_step)
        if busy := tables.runs.active(target=target):
            raise UserError(
                f"A run of #{busy[0].pull} is active on {target}.",
                next_step="Wait until it has finished, then try again.",
            )
        if tables.unsaved.open([target]):
            raise UserError(
                f"{target} has a state that could not be uploaded.",
                next_step=f"Run `{command('push-state', target)}` first.",
            )
        reason = f"state moved to {wanted.kind}; released once `{PATH}` names that backend"
        tables.locks.take(Lock(target, SYSTEM, context.now(), reason=reason), context.now())


def _copy(context: Context, target: Target, source: Backend, destination: Backend) -> StateInfo:
    old = context.backends.location(target, source)
    new = context.backends.location(target, destination, Author(actor="towpath"))
    lock = LockInfo(uuid.uuid4().hex, operation="migrate", who="Towpath", created=context.now().isoformat())
    with ExitStack() as held:
        for location in (old, new):
            if present := location.lock(lock):
                raise UserError(
                    f"The state of {target} is locked by {present.description}.",
                    next_step=f"Wait until it is released, or run `{command('unlock', target)}` if its holder has died.",
                )
            held.callback(location.unlock, lock.id)
        return _copy_and_compare(target, old, new, lock.id)


def _copy_and_compare(target: Target, old: StateLocation, new: StateLocation, lock_id: str) -> StateInfo:
    """Write the state, then read both copies back."""
    data = old.read()
    if not data:
        raise UserError(
            f"{target} has no state, so there is nothing to move.",
            next_step=f"Change the backend in `{PATH}`.",
        )
    try:
        new.write(data, lock_id)
    except StateRefused as refused:
        raise UserError(
            f"The new backend already has another state: {refused}.",
            next_step="Find out whose it is; then remove it, or give another `--key`.",
        ) from None
    if not (new.read() == data == old.read()):
        raise UserError(
            f"The copy of {target}'s state differs from the original.",
            next_step="The old backend is still in use and unchanged. Try again.",
        )
    return StateInfo.parse(data)


def _lines(target: Target, wanted: BackendPolicy) -> str:
    settings = {
        name: value for name, value in vars(wanted).items() if value and (name, value) != ("region", "auto")
    }
    return "\n".join(
        [f"[stack.{target.stack}.backend]", *(f'{name} = "{value}"' for name, value in settings.items())]
    )
