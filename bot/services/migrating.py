"""Moving a target's state to another backend: copied under both locks, compared, and the old one left as it is."""

from __future__ import annotations

import uuid
from contextlib import ExitStack
from dataclasses import dataclass, replace

from bot.domain.gates import claimed, command
from bot.domain.lock import Lock
from bot.domain.people import SYSTEM
from bot.domain.policy import PATH, BackendPolicy, Policy
from bot.domain.ports.state import Author, StatePlace
from bot.domain.ports.terraform import Backend
from bot.domain.state import LockInfo, StateInfo, StateRefused
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.auditing import record
from bot.services.context import Context, show_pulls
from bot.services.targets import default_policy
from bot.services.whereabouts import backend_of


@dataclass(frozen=True)
class Moved:
    """What was moved where. policy: the lines that the policy needs now. others: environments of the same stack, whose
    states move with these lines too."""

    target: Target
    source: Backend
    destination: Backend
    state: StateInfo
    policy: str
    others: tuple[str, ...]


def move(context: Context, target: Target, wanted: BackendPolicy) -> Moved:
    """Copy the state to where `wanted` says and prove that it is the same there, byte for byte.

    The target stays claimed afterwards: until the policy says so too, an apply would write to the old place. Raises
    UserError where the policy says it already, where somebody claims the target or a run works there, where a state
    lock is held, where there is no state, or where another state is in the new place.
    """
    policy = default_policy(context, target.repository)
    if policy is None or target.stack not in policy.stacks or target.environment not in policy.environments:
        raise UserError(f"The policy of {target.repository} has no {target}.", next_step="Check the target.")
    source = backend_of(context, target, policy)
    destination = _destination(context, target, policy, wanted)
    if (source.kind, dict(source.config)) == (destination.kind, dict(destination.config)):
        raise UserError(
            f"The policy says already that the state of {target} is there.",
            next_step=f"Move it first, and change `{PATH}` then: put the old lines back until it is moved.",
        )
    _claim(context, target, wanted)
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
            target=target,
            source=source.kind,
            destination=destination.kind,
            serial=info.serial,
            sha256=info.sha256,
        )
        show_pulls(tables, context.now(), target.repository)
    stack = policy.stacks[target.stack]
    others = [env.name for env in policy.environments_of(stack) if env.name != target.environment]
    return Moved(target, source, destination, info, _lines(target, wanted), tuple(others))


def _destination(context: Context, target: Target, policy: Policy, wanted: BackendPolicy) -> Backend:
    stack = replace(policy.stacks[target.stack], backend=wanted)
    found = context.backends.backend(
        target, replace(policy, stacks={**policy.stacks, target.stack: stack}), "", ("", "")
    )
    return Backend(found.kind, found.config)


def _claim(context: Context, target: Target, wanted: BackendPolicy) -> None:
    with context.store.begin() as tables:
        tables.locks.alone(target)
        have = tables.locks.get(target)
        if have is not None and not have.expired(context.now()):
            no = claimed(have, target)
            raise UserError(no.fact, next_step=no.next_step)
        if busy := tables.runs.active(target=target):
            raise UserError(
                f"A run of #{busy[0].pull} is at work on {target}.",
                next_step="Wait for its end, then try again.",
            )
        if tables.unsaved.open([target]):
            raise UserError(
                f"A state of {target} waits to be pushed.",
                next_step=f"`{command('push-state', target)}` first.",
            )
        reason = f"its state moves to {wanted.kind}: it is free again when `{PATH}` says so too"
        tables.locks.take(Lock(target, SYSTEM, context.now(), reason=reason), context.now())


def _copy(context: Context, target: Target, source: Backend, destination: Backend) -> StateInfo:
    old = context.backends.place(target, source)
    new = context.backends.place(target, destination, Author(actor="towpath"))
    lock = LockInfo(uuid.uuid4().hex, operation="migrate", who="Towpath", created=context.now().isoformat())
    with ExitStack() as held:
        for place in (old, new):
            if present := place.lock(lock):
                raise UserError(
                    f"The state of {target} is locked by {present.told}.",
                    next_step=f"Wait for its end, or `{command('unlock', target)}` once it is surely dead.",
                )
            held.callback(place.unlock, lock.id)
        return _same(target, old, new, lock.id)


def _same(target: Target, old: StatePlace, new: StatePlace, lock_id: str) -> StateInfo:
    """Write the state, and read both sides back."""
    data = old.read()
    if not data:
        raise UserError(
            f"{target} has no state yet.", next_step=f"Change `{PATH}`; there is nothing to move."
        )
    try:
        new.write(data, lock_id)
    except StateRefused as refused:
        raise UserError(
            f"Another state of {target} is in the new place: {refused}.",
            next_step="Look whose it is, and take it away or name another `--key`.",
        ) from None
    if not (new.read() == data == old.read()):
        raise UserError(
            f"The state of {target} is not the same on both sides after it was copied.",
            next_step="Nothing was taken away: the old one is in force. Try again.",
        )
    return StateInfo.parse(data)


def _lines(target: Target, wanted: BackendPolicy) -> str:
    given = {
        name: value for name, value in vars(wanted).items() if value and (name, value) != ("region", "auto")
    }
    return "\n".join(
        [f"[stack.{target.stack}.backend]", *(f'{name} = "{value}"' for name, value in given.items())]
    )
