"""Holds: what keeps a reverted commit out of an environment, until somebody lifts it."""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.hold import Hold
from bot.domain.people import Actor, reaches
from bot.domain.ports.forge import Role
from bot.domain.ports.store import Tables
from bot.domain.results import Noted, Result
from bot.domain.run import Run
from bot.domain.target import Target
from bot.services.auditing import record
from bot.services.context import Context, show_pull


def pin(context: Context, tables: Tables, run: Run) -> None:
    """After a revert: nothing that contains what was taken back is applied there until somebody lifts the hold."""
    if run.base_commit == run.commit:
        return  # after an apply that broke half way: its commit is the one that stands there now
    hold = Hold(
        run.target,
        run.reverts,
        run.commit,
        run.base_commit,
        run.id,
        run.pull,
        run.actor,
        context.now(),
    )
    tables.holds.pin(hold)
    record(
        context,
        tables,
        "hold.set",
        run.actor,
        target=run.target,
        pull=run.pull,
        run_id=run.id,
        commit=hold.commit,
        reverted=hold.reverted,
    )


def unhold(context: Context, target: Target, actor: Actor, role: Role, *, production: bool) -> Result:
    """Lift a hold; in production with the maintain role."""
    needed: Role = "maintain" if production else "write"
    if not reaches(role, needed):
        return Refused(
            "permission",
            f"To lift the hold of {target} you need the `{needed}` role; you have `{role}`.",
            "Ask a maintainer.",
        )
    with context.store.begin() as tables:
        hold = tables.holds.get(target)
        if hold is None:
            return Noted(f"{target} is not held.")
        tables.holds.lift(target)
        record(context, tables, "hold.lifted", actor, target=target, pull=hold.pull, reverted=hold.reverted)
        for pull in tables.pulls.open(target.repository):
            show_pull(tables, context.now(), pull.repository, pull.number)
    context.poke()
    return Noted(
        f"{target} is not held any more: `{hold.reverted[:7]}` may be applied there again.", tone="good"
    )
