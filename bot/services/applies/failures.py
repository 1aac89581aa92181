"""End runs whose work raised an error."""

from __future__ import annotations

from bot.domain.previews import preview_command
from bot.domain.run import SLEEPING, Run
from bot.domain.target import command
from bot.domain.why import Reason
from bot.errors import UserError
from bot.services.applies.record import release_id
from bot.services.context import Context
from bot.services.directories import journal_of
from bot.services.releases import check_again_command
from bot.services.runs import RunEnd, finish_in, finish_run, interrupt_run
from bot.services.states import keep_unsaved


def end_failed_run(context: Context, run_id: str, error: Exception, ticket: str) -> None:
    """End a run whose work raised `error`: with its text if it is a user error, else with a reference."""
    with context.store.read() as tables:
        run = tables.runs.get(run_id)
    if run is None or not run.active:
        return
    if run.kind == "destroy":
        _undestroyed(context, run, error, ticket)
    elif run.kind in SLEEPING:
        _not_switched(context, run, error, ticket)
    elif run.phase == "verifying":
        _unverified(context, run, error, ticket)
    elif run.phase in ("applying", "recording"):
        _interrupted(context, run, error, ticket)
    elif isinstance(error, UserError):
        finish_run(
            context,
            run,
            RunEnd("refused", message=error.what, next_step=error.next_step, reason=Reason(error.code)),
        )
    else:
        finish_run(
            context,
            run,
            RunEnd(
                "failed",
                message="Internal error; nothing was changed.",
                next_step=f"`{command('revert' if run.reverts else run.kind, run.target)}` again; if it persists, give "
                f"your operator the reference {ticket}.",
                reference=ticket,
            ),
        )


def _undestroyed(context: Context, run: Run, error: Exception, ticket: str) -> None:
    """End a destroy that could not be carried out. It is tried again, which is safe: what is gone stays gone."""
    why = error.what if isinstance(error, UserError) else "Internal error."
    with context.store.begin() as tables:
        if context.terraform.outcome(journal_of(context, run))[0] != "running":
            tables.states.abandon(run.id)
        finish_in(context, tables, run, RunEnd("failed", message=why, reference=ticket))


def _not_switched(context: Context, run: Run, error: Exception, ticket: str) -> None:
    """End a run that could not put an instance to sleep, or wake it."""
    why = error.what if isinstance(error, UserError) else "Internal error."
    again = f"Run `{preview_command(run.kind, run.target)}` to try again."
    finish_run(context, run, RunEnd("failed", message=why, next_step=again, reference=ticket))


def _unverified(context: Context, run: Run, error: Exception, ticket: str) -> None:
    """End a run that was applied but not verified, so that nothing is promoted from it unchecked."""
    why = error.what if isinstance(error, UserError) else "Internal error"
    with context.store.begin() as tables:
        tables.releases.update(release_id(run), verification="failed", verified_at=context.now())
        finish_in(
            context,
            tables,
            run,
            RunEnd(
                "applied",
                reference=ticket,
                message=f"Applied, but not verified: {why.rstrip('.')}.",
                next_step=f"Run {check_again_command(run.target, run.reverts)} to verify again.",
            ),
        )


def _interrupted(context: Context, run: Run, error: Exception, ticket: str) -> None:
    """End a run whose Terraform was running: nobody knows how far it got, whatever failed afterwards."""
    why = error.what if isinstance(error, UserError) else "Internal error"
    state, _code = context.terraform.outcome(journal_of(context, run))
    if state != "running":
        keep_unsaved(context, run)
    interrupt_run(context, run, f"{why.rstrip('.')},", terminated=state != "running", ticket=ticket)
