"""When the work of a run fails for a reason of ours: the run ends all the same, and says so."""

from __future__ import annotations

from bot.domain.run import Run
from bot.errors import UserError
from bot.services import uploading
from bot.services.context import Context
from bot.services.ending import finish, finish_in, interrupt
from bot.services.preparing import journal_of
from bot.services.recording import release_id
from bot.services.verifying import once_more


def broken(context: Context, run_id: str, error: Exception, ticket: str) -> None:
    """End a run whose work raised: word for word for a user error, else with a reference."""
    with context.store.read() as tables:
        run = tables.runs.get(run_id)
    if run is None or not run.active:
        return
    if run.phase == "verifying":
        _unverified(context, run, error, ticket)
    elif run.phase in ("applying", "recording"):
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


def _unverified(context: Context, run: Run, error: Exception, ticket: str) -> None:
    """It was applied, and what came after it failed: nothing may be promoted from it unseen."""
    why = error.what if isinstance(error, UserError) else "Something went wrong on our side"
    with context.store.begin() as tables:
        tables.releases.update(release_id(run), verification="failed", verified_at=context.now())
        finish_in(
            context,
            tables,
            run,
            "applied",
            reference=ticket,
            message=f"It was applied, and could not be verified: {why.rstrip('.')}.",
            next_step=f"{once_more(run.target, run.reverts)} to check once more.",
        )
    context.work.wake()
    context.poke()


def _interrupted(context: Context, run: Run, error: Exception, ticket: str) -> None:
    """Terraform was at work: the truth is that nobody knows how far it came, whatever went wrong afterwards."""
    why = error.what if isinstance(error, UserError) else "Something went wrong on our side"
    state, _code = context.terraform.outcome(journal_of(context, run))
    if state != "running":
        uploading.keep(context, run)
    interrupt(context, run, f"{why.rstrip('.')},", gone=state != "running", ticket=ticket)
