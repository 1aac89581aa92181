"""Holds: they keep a reverted commit out of an environment until somebody lifts them."""

from __future__ import annotations

from bot.domain.actors import Actor, Role, reaches
from bot.domain.chat import Notice, Result
from bot.domain.hold import Hold
from bot.domain.ports.store import Tables
from bot.domain.refusal import Refusal
from bot.domain.run import Plan, Run
from bot.domain.target import Target
from bot.services.audit import AuditSubject, record
from bot.services.context import Context, show_pulls


def hold_release(context: Context, tables: Tables, run: Run, plan: Plan) -> None:
    """Hold the environment after a revert: nothing that contains the reverted commit is applied until somebody lifts the
    hold. What earlier reverts took out stays out too. If the release contains the reverted commit (a revert was
    reverted), there is nothing to hold."""
    if plan.summary.get("forward"):
        return
    before = tables.holds.get(run.target)
    hold = Hold(
        run.target,
        run.reverts,
        run.commit,
        run.base_commit,
        run.id,
        run.pull,
        run.actor,
        context.now(),
        tuple(one for one in before.held if one != run.base_commit) if before else (),
    )
    tables.holds.pin(hold)
    record(
        context,
        tables,
        "hold.set",
        run.actor,
        AuditSubject(target=run.target, pull=run.pull, run_id=run.id),
        commit=hold.commit,
        reverted=hold.reverted,
    )


def lift_hold(context: Context, target: Target, actor: Actor, role: Role, *, production: bool) -> Result:
    """Lift a hold; production needs the maintain role. Raises Refusal."""
    needed: Role = "maintain" if production else "write"
    if not reaches(role, needed):
        raise Refusal(
            "permission",
            f"Lifting the hold on {target} needs the `{needed}` role; you have `{role}`.",
            "Ask a maintainer.",
        )
    with context.store.begin() as tables:
        hold = tables.holds.get(target)
        if hold is None:
            return Notice(f"{target} is not on hold.")
        _lift(context, tables, hold, actor)
        show_pulls(tables, context.now(), target.repository)
    commits = " and ".join(f"`{one[:7]}`" for one in hold.held)
    return Notice(f"{target} is no longer on hold: {commits} can be applied again.", tone="good")


def _lift(context: Context, tables: Tables, hold: Hold, actor: Actor) -> None:
    tables.holds.lift(hold.target)
    record(
        context,
        tables,
        "hold.lifted",
        actor,
        AuditSubject(target=hold.target, pull=hold.pull),
        reverted=hold.reverted,
    )
