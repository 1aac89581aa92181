"""Holds: what keeps a reverted commit out of an environment, until somebody lifts it."""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.hold import Hold
from bot.domain.people import Actor, reaches
from bot.domain.ports.forge import Role
from bot.domain.ports.store import Tables
from bot.domain.results import Noted, Result
from bot.domain.run import Plan, Run
from bot.domain.target import Target
from bot.services.auditing import record
from bot.services.context import Context, show_pulls


def pin(context: Context, tables: Tables, run: Run, plan: Plan) -> None:
    """After a revert: nothing that contains what was taken back is applied there until somebody lifts the hold. Where
    what stands there now contains it (a revert was reverted), nothing is kept out, nor what was before for its sake."""
    if plan.summary.get("forward"):
        before = tables.holds.get(run.target)
        if before is not None and before.reverted == plan.summary.get("frees"):
            _lift(context, tables, before, run.actor)
        return
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
        _lift(context, tables, hold, actor)
        show_pulls(tables, context.now(), target.repository)
    context.poke()
    return Noted(
        f"{target} is not held any more: `{hold.reverted[:7]}` may be applied there again.", tone="good"
    )


def _lift(context: Context, tables: Tables, hold: Hold, actor: Actor) -> None:
    tables.holds.lift(hold.target)
    record(context, tables, "hold.lifted", actor, target=hold.target, pull=hold.pull, reverted=hold.reverted)
