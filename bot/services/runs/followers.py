"""Runs that come after runs of other stacks: they take their turn when one of those ends."""

from __future__ import annotations

from collections.abc import Iterable

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

    It runs in the transaction that ends `ended`. Of two that end at once and have the same followers, the second one waits
    and sees what the first did.
    """
    active = tables.runs.active(repository=ended.target.repository)
    waiting = sorted(run.id for run in active if ended.id in run.after)
    return [over for run_id in waiting if (over := next_turn(context, tables, run_id))]


def next_turn(context: Context, tables: Tables, run_id: str) -> tuple[Run, RunEnd] | None:
    """Let one waiting run take its turn; return it with its end if it will never start. Its row is written first, so that
    transactions that end its other runs wait for each other."""
    if not tables.runs.move(run_id, ("queued",), "queued"):
        return None
    run = tables.runs.get(run_id)
    end = _turn(context, tables, run) if run is not None and run.after else None
    return (run, end) if run is not None and end is not None else None


def _turn(context: Context, tables: Tables, run: Run) -> RunEnd | None:
    others = tables.runs.known(run.after)
    turn = turn_of(run, others, _unverified(tables, others.values()))
    if turn.superseded:
        return RunEnd("superseded")
    if turn.failed is not None:
        return _refused(context, tables, run, turn.failed, unverified=turn.unverified)
    tables.runs.update(run.id, after=turn.after)
    if not turn.after:
        if not run.waits_for:
            context.work.enqueue(run, tables)
        show_run(tables, context.now(), run)
    return None


def _unverified(tables: Tables, runs: Iterable[Run]) -> list[str]:
    """Return the ids of the applies that left a release whose smoke checks failed."""
    releases = tables.releases.newest_of(run.target for run in runs if run.outcome == "applied")
    return [one.run_id for one in releases.values() if one.verification == "failed"]


def _refused(context: Context, tables: Tables, run: Run, failed: Run, *, unverified: bool) -> RunEnd:
    message = why_not(run, failed, unverified=unverified)
    if run.kind == "plan":
        again = f"Fix it and push, or run `/plan {run.target.environment}` again."
        return RunEnd("refused", message=message, next_step=again)
    record_run(context, tables, "apply.refused", run, code="upstream-failed", fact=message)
    step = f"Run `{command(failed.planned_by, failed.target)}` to see what is left to do there."
    if unverified:
        step = f"Fix it and push, or run `{command('apply', run.target)}` to apply it all the same."
    return RunEnd("refused", message=message, next_step=step)
