"""When the work of a run fails for a reason of ours: the run ends all the same, and says so."""

from __future__ import annotations

from bot.domain.run import Run, left_behind, unfinished
from bot.errors import UserError
from bot.services.context import Context
from bot.services.ending import finish, finish_in
from bot.services.preparing import journal_of


def broken(context: Context, run_id: str, error: Exception, ticket: str) -> None:
    """End a run whose work raised: word for word for a user error, else with a reference. An id that is no run's
    (a delivery's) has nothing to end."""
    with context.store.read() as tables:
        run = tables.runs.get(run_id)
    if run is None or not run.active:
        return
    if run.phase in ("applying", "recording"):
        _interrupted(context, run, error, ticket)
    elif isinstance(error, UserError):
        finish(context, run, "refused", message=error.what, next_step=error.next_step)
    else:
        finish(
            context,
            run,
            "failed",
            message="Something went wrong on our side; nothing was changed.",
            next_step=f"`/{run.kind} {run.target.environment}` again; if it persists, show your operator the "
            f"reference {ticket}.",
            reference=ticket,
        )


def _interrupted(context: Context, run: Run, error: Exception, ticket: str) -> None:
    """Terraform was at work: the truth is that nobody knows how far it came, whatever went wrong afterwards."""
    why = error.what if isinstance(error, UserError) else "Something went wrong on our side"
    what = left_behind(unfinished(run.progress))
    state, _code = context.terraform.outcome(journal_of(context, run))
    with context.store.begin() as tables:
        tables.plans.take(run.plan_id, "applying", "failed")
        if state != "running":
            tables.states.abandon(run.id)
        finish_in(
            context,
            tables,
            run,
            "interrupted",
            reference=ticket,
            message=f"{why.rstrip('.')}, during this apply; it is not repeated by itself.{what}",
            next_step=f"`/plan {run.target.environment}` shows what is left to do.",
        )
    context.work.wake()
    context.poke()
