"""State locks that nobody lets go of any more: a laptop's that was closed, those of a machine that died."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.domain.answers import Refused
from bot.domain.gates import command
from bot.domain.people import Actor, reaches
from bot.domain.ports.forge import Role
from bot.domain.ports.state import PERSON, StatePlace
from bot.domain.ports.store import Tables
from bot.domain.state import LockInfo
from bot.domain.target import Target
from bot.domain.words import outside
from bot.services.auditing import record
from bot.services.context import Context, show_pulls
from bot.services.preparing import journal_of
from bot.services.targets import default_policy
from bot.services.whereabouts import backend_of

ELSEWHERE = timedelta(minutes=10)
"""How long the Terraform of a worker that died on another machine may go on: its supervisor interrupts it once."""


@dataclass(frozen=True)
class Stuck:
    """A state lock that is held now. login: of the person whose laptop took it, where that is known."""

    target: Target
    lock: LockInfo
    place: StatePlace
    login: str = ""

    def forbids(self, actor: Actor, role: Role) -> Refused | None:
        """One's own laptop's needs nothing more; for what others hold one needs `maintain`."""
        if (self.login and self.login == actor.login) or reaches(role, "maintain"):
            return None
        return Refused(
            "permission",
            f"The state of {self.target} is locked by {outside(self.lock.told)}; to free it you need the `maintain` "
            f"role, you have `{role}`.",
            "Ask a maintainer.",
        )


def look(context: Context, target: Target) -> Stuck | None:
    """The lock on the target's state, whoever holds it. Raises UserError and TransientError."""
    policy = default_policy(context, target.repository)
    if policy is None or target.environment not in policy.environments:
        return None
    backend = backend_of(context, target, policy)
    place = context.backends.place(target, backend)
    held = place.held()
    if held is None:
        return None
    with context.store.read() as tables:
        holder = tables.states.holder(target.key) if backend.kind == "http" else ""
    return Stuck(target, held, place, holder.removeprefix(PERSON) if holder.startswith(PERSON) else "")


def alive(context: Context, tables: Tables, stuck: Stuck) -> Refused | None:
    """A refusal while the apply that may have made the lock is still at work, though its run has ended."""
    run = tables.runs.newest(stuck.target, kind="apply")
    if run is None or stuck.login:
        return None
    journal = journal_of(context, run)
    away = run.outcome == "interrupted" and run.worker != context.worker and not journal.exists()
    fresh = run.finished_at is not None and context.now() - run.finished_at < ELSEWHERE
    if context.terraform.outcome(journal)[0] != "running" and not (away and fresh):
        return None
    return Refused(
        "busy",
        f"The Terraform of the apply of #{run.pull} may still be at work on {stuck.target}: it finishes what it has "
        "begun.",
        f"`{command('unlock', stuck.target)}` again in some minutes.",
    )


def free(context: Context, stuck: Stuck, actor: Actor) -> Refused | None:
    """Release it, if it is still the same one; recorded."""
    if not stuck.place.unlock(stuck.lock.id):
        return Refused(
            "changed",
            f"Somebody else has locked the state of {stuck.target} meanwhile.",
            f"`{command('unlock', stuck.target)}` again, if that one is dead too.",
        )
    with context.store.begin() as tables:
        record(
            context,
            tables,
            "state.unlocked",
            actor,
            target=stuck.target,
            lock=stuck.lock.id,
            who=stuck.lock.who,
            operation=stuck.lock.operation,
            created=stuck.lock.created,
        )
        show_pulls(tables, context.now(), stuck.target.repository)
    context.poke()
    return None
