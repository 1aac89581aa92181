"""Locate a target's state without a checkout: where the policy says, else where the newest plan found it."""

from __future__ import annotations

import uuid

from bot.domain.actors import Actor
from bot.domain.policy import Policy
from bot.domain.ports.state import PERSON, StateLocation
from bot.domain.ports.terraform import Backend
from bot.domain.refusal import Refusal
from bot.domain.sanitize import outside
from bot.domain.states import LockInfo
from bot.domain.target import Target, command
from bot.services.context import Context


def backend_of(context: Context, target: Target, policy: Policy) -> Backend:
    """Return the target's backend, without credentials. Raises UserError if the policy names no bucket."""
    declared = ""
    if not policy.stacks[target.stack].backend.kind:
        with context.store.read() as tables:
            plan = tables.plans.newest_at(target)
        declared = plan.backend["kind"] if plan else ""
    backend = context.backends.backend(target, policy, declared, ("", ""))
    return Backend(backend.kind, backend.config)


def lock_state(
    context: Context, location: StateLocation, target: Target, actor: Actor, operation: str, lock_id: str = ""
) -> LockInfo:
    """Take the state's lock for an operation of Towpath's that writes it. Raises Refusal that names the holder.

    lock_id: given by a request that may be repeated after a crash, when it already has the lock.
    """
    lock = LockInfo(
        lock_id or uuid.uuid4().hex,
        operation=operation,
        who=f"{actor.login or 'Towpath'} by Towpath",
        created=context.now().isoformat(),
    )
    if present := location.lock(lock):
        raise Refusal(
            "state-locked",
            f"The state of {target} is locked by {outside(present.description)}.",
            f"Wait until it is released, or run `{command('unlock', target)}` if its holder has died. Then run this again.",
        )
    return lock


def foreign_lock(context: Context, target: Target, backend: Backend) -> LockInfo | None:
    """Return a state lock that none of Towpath's applies can hold: a laptop's, or one left by a machine that died.

    A laptop's plan does not count: it ends by itself, and Terraform waits for it.
    """
    with context.store.read() as tables:
        active = tables.runs.changing(target)
        holder = tables.states.holder(target.key) if backend.kind == "http" else ""
    if any(run.phase in ("applying", "recording", "verifying") for run in active) or (
        backend.kind == "http" and not holder.startswith(PERSON)
    ):
        return None
    held = context.backends.location(target, backend).held()
    return None if held is None or held.is_plan else held
