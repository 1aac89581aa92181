"""Release state locks whose holder is gone: a laptop that was closed, a machine that died."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.domain.actors import Actor, Role, reaches
from bot.domain.ports.state import PERSON, StateLocation
from bot.domain.ports.store import Tables
from bot.domain.refusal import Refusal, Refused
from bot.domain.sanitize import outside
from bot.domain.states import LockInfo
from bot.domain.target import Target, command
from bot.services.audit import AuditSubject, record
from bot.services.context import Context, show_pulls
from bot.services.directories import journal_of
from bot.services.states.location import backend_of
from bot.services.targets import default_policy

ELSEWHERE = timedelta(minutes=10)
"""How long Terraform may continue after its worker on another machine died, until its supervisor has stopped it."""


@dataclass(frozen=True)
class StuckLock:
    """A state lock that is held now. login: the person whose laptop took it, if known."""

    target: Target
    lock: LockInfo
    location: StateLocation
    login: str = ""

    def forbids(self, actor: Actor, role: Role) -> Refused | None:
        """Return why this person may not release the lock: others' locks need the maintain role."""
        if (self.login and self.login == actor.login) or reaches(role, "maintain"):
            return None
        return Refused(
            "permission",
            f"The state of {self.target} is locked by {outside(self.lock.description)}. Releasing it needs the `maintain` role; "
            f"you have `{role}`.",
            "Ask a maintainer.",
        )


def find_state_lock(context: Context, target: Target) -> StuckLock | None:
    """Return the lock on the target's state, whoever holds it. Raises UserError or TransientError."""
    policy = default_policy(context, target.repository)
    if policy is None or target.environment not in policy.environments:
        return None
    backend = backend_of(context, target, policy)
    location = context.backends.location(target, backend)
    held = location.held()
    if held is None:
        return None
    with context.store.read() as tables:
        holder = tables.states.holder(target.key) if backend.kind == "http" else ""
    return StuckLock(target, held, location, holder.removeprefix(PERSON) if holder.startswith(PERSON) else "")


def refuse_running(context: Context, tables: Tables, state_lock: StuckLock) -> Refused | None:
    """Refuse while Terraform of the last apply may still be running, although its run has ended."""
    run = tables.runs.newest(state_lock.target, kind="apply")
    if run is None or state_lock.login:
        return None
    journal = journal_of(context, run)
    on_other_machine = run.outcome == "interrupted" and run.worker != context.worker and not journal.exists()
    recent = run.finished_at is not None and context.now() - run.finished_at < ELSEWHERE
    if context.terraform.outcome(journal)[0] != "running" and not (on_other_machine and recent):
        return None
    return Refused(
        "busy",
        f"Terraform may still be running on {state_lock.target}: the apply of #{run.pull} is finishing operations in progress.",
        f"Wait some minutes, then run `{command('unlock', state_lock.target)}` again.",
    )


def release_state_lock(context: Context, state_lock: StuckLock, actor: Actor) -> None:
    """Release the lock and record it. Raises Refusal if somebody else has locked the state since."""
    if not state_lock.location.unlock(state_lock.lock.id):
        raise Refusal(
            "changed",
            f"The state of {state_lock.target} was locked again by someone else.",
            f"Wait until it is released, or run `{command('unlock', state_lock.target)}` again if its holder has died too.",
        )
    with context.store.begin() as tables:
        record(
            context,
            tables,
            "state.unlocked",
            actor,
            AuditSubject(target=state_lock.target),
            lock=state_lock.lock.id,
            who=state_lock.lock.who,
            operation=state_lock.lock.operation,
            created=state_lock.lock.created,
        )
        show_pulls(tables, context.now(), state_lock.target.repository)
