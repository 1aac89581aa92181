"""Where a target's state is, without a checkout: as the policy says, and else as the newest plan there proved."""

from __future__ import annotations

import uuid

from bot.domain.answers import Refused
from bot.domain.gates import command
from bot.domain.people import Actor
from bot.domain.policy import Policy
from bot.domain.ports.state import PERSON, StatePlace
from bot.domain.ports.terraform import Backend
from bot.domain.state import LockInfo
from bot.domain.target import Target
from bot.domain.words import outside
from bot.services.context import Context


def backend_of(context: Context, target: Target, policy: Policy) -> Backend:
    """The target's backend, without credentials. Raises UserError where the policy names no bucket."""
    declared = ""
    if not policy.stacks[target.stack].backend.kind:
        with context.store.read() as tables:
            plan = tables.plans.newest_at(target)
        declared = plan.backend["kind"] if plan else ""
    found = context.backends.backend(target, policy, declared, ("", ""))
    return Backend(found.kind, found.config)


def hold(
    context: Context, place: StatePlace, target: Target, actor: Actor, operation: str, lock_id: str = ""
) -> LockInfo | Refused:
    """Take the state's lock for something of ours that writes it; the refusal names who has it. lock_id: of a request
    that may be entered again after a crash, and has the lock then."""
    lock = LockInfo(
        lock_id or uuid.uuid4().hex,
        operation=operation,
        who=f"{actor.login or 'Towpath'} by Towpath",
        created=context.now().isoformat(),
    )
    if present := place.lock(lock):
        return Refused(
            "state-locked",
            f"The state of {target} is locked by {outside(present.told)}.",
            f"`{command('unlock', target)}`, once its holder is surely dead; then the same again.",
        )
    return lock


def foreign_lock(context: Context, target: Target, backend: Backend) -> LockInfo | None:
    """A state lock that no apply of the bot's can hold: a laptop's, or one that a machine left when it died. A laptop's
    plan is none: it ends by itself, and Terraform waits for it."""
    with context.store.read() as tables:
        active = tables.runs.active(target=target, kind="apply")
        holder = tables.states.holder(target.key) if backend.kind == "http" else ""
    if any(run.phase in ("applying", "recording", "verifying") for run in active) or (
        backend.kind == "http" and not holder.startswith(PERSON)
    ):
        return None
    held = context.backends.place(target, backend).held()
    return None if held is None or held.reads else held
