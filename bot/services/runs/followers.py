"""Runs that come after runs of other stacks: they take their turn when one of those ends."""

from __future__ import annotations

from bot.domain.order import turn_of, why_not
from bot.domain.ports.store import Tables
from bot.domain.run import Run
from bot.domain.target import command
from bot.services.audit import record_run
from bot.services.context import Context, show_run
from bot.services.runs.run_end import RunEnd


def followers_of(tables: Tables, run: Run) -> list[Run]:
    """Return the queued runs that come after `run`, directly or through others."""
    waiting = [one for one in tables.runs.active(repository=run.target.repository) if one.after]
    found: dict[str, Run] = {}
    ids = {run.id}
    while more := [one for one in waiting if one.id not in found and ids.intersection(one.after)]:
        found |= {one.id: one for one in more}
        ids = {one.id for one in more}
    return list(found.values())


def take_turns(context: Context, tables: Tables, ended: Run) -> list[tuple[Run, RunEnd]]:
    """Enqueue the runs that waited for `ended` alone; return those that will never start, and how they end.

    It runs in the transaction that ends `ended`. Two that end at once may have the same followers: the row of each is
    written before its other runs are read, so that the second transaction waits and sees what the first one did.
    """
    over: list[tuple[Run, RunEnd]] = []
    active = tables.runs.active(repository=ended.target.repository)
    for run_id in sorted(run.id for run in active if ended.id in run.after):
        if not tables.runs.move(run_id, ("queued",), "queued"):
            continue
        run = tables.runs.get(run_id)
        if run is not None and run.after and (end := _turn(context, tables, run)):
            over.append((run, end))
    return over


def _turn(context: Context, tables: Tables, run: Run) -> RunEnd | None:
    turn = turn_of(run, tables.runs.known(run.after))
    if turn.superseded:
        return RunEnd("superseded")
    if turn.failed is not None:
        return _refused(context, tables, run, turn.failed)
    tables.runs.update(run.id, after=turn.after)
    if not turn.after:
        if not run.waits_for:
            context.work.enqueue(run, tables)
        show_run(tables, context.now(), run)
    return None


def _refused(context: Context, tables: Tables, run: Run, failed: Run) -> RunEnd:
    message = why_not(run, failed)
    if run.kind == "plan":
        again = f"Fix it and push, or run `/plan {run.target.environment}` again."
        return RunEnd("refused", message=message, next_step=again)
    record_run(context, tables, "apply.refused", run, code="upstream-failed", fact=message)
    step = f"Run `{command(failed.planned_by, failed.target)}` to see what is left to do there."
    return RunEnd("refused", message=message, next_step=step)
