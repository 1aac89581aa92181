"""End runs: one transaction records the outcome, shows it, and starts queued work."""

from __future__ import annotations

from bot.domain.ports.store import Tables
from bot.domain.ports.terraform import CommandResult
from bot.domain.refusal import Refused
from bot.domain.run import ACTIVE, CHANGING, Outcome, Run, name_unfinished, unfinished
from bot.domain.sanitize import inert
from bot.domain.sync import status_after
from bot.domain.target import command
from bot.domain.why import Failure
from bot.services.approvals import approval_plan_failed
from bot.services.context import Context, show_run, stable_id
from bot.services.runs.followers import followers_of, next_turn, take_turns
from bot.services.runs.reactions import react_to_end, reply_to_requester
from bot.services.runs.run_end import RunEnd
from bot.services.why import reason_of

UNSUCCESSFUL: frozenset[Outcome] = frozenset(["failed", "refused", "interrupted", "timed_out", "cancelled"])


def finish_run(context: Context, run: Run, end: RunEnd) -> None:
    """End a run, unless it has ended already, and enqueue the plans that waited for it."""
    with context.store.begin() as tables:
        finish_in(context, tables, run, end)


def finish_in(context: Context, tables: Tables, run: Run, end: RunEnd) -> bool:
    """End a run within the caller's transaction, and those that come after it if they cannot start. Returns False if it had
    ended already."""
    tables.locks.lock_targets(run.target, *(one.target for one in followers_of(tables, run)))
    before = tables.runs.get(run.id)
    ended = tables.runs.move(
        run.id,
        ACTIVE,
        "finished",
        outcome=end.outcome,
        message=end.message,
        next_step=end.next_step,
        reference=end.reference,
        plan_id=end.plan_id or run.plan_id,
        finished_at=context.now(),
    )
    if not ended:
        return False
    if before is not None and end.outcome in UNSUCCESSFUL:
        tables.failures.add(Failure(run.id, before.phase, context.now(), end.reason))
    show_run(tables, context.now(), run)
    if (row := tables.runs.get(run.id)) is not None:
        context.ended(row)
    react_to_end(context, tables, run, end.outcome)
    tables.credentials.revoke(run.id)
    if run.kind == "plan" and end.outcome != "planned":
        approval_plan_failed(context, tables, run)
    if run.kind == "drift" and end.outcome != "checked":
        why = f"No drift result for {run.target}: {end.message or 'The drift check was stopped.'}"
        reply_to_requester(context, tables, run, Refused("not-looked", why, end.next_step))
    if run.sync:
        _end_sync(tables, run, end)
    if run.kind in CHANGING:
        start_queued_plans(context, tables, run)
    for waiting, how in take_turns(context, tables, run):
        finish_in(context, tables, waiting, how)
    return True


def _end_sync(tables: Tables, run: Run, end: RunEnd) -> None:
    """Record on the sync how its plan or its apply ended."""
    release = tables.releases.get(stable_id(run.id, "release"))
    status = status_after(run.kind, end.outcome, verified=release is None or release.verified)
    if status is not None:
        tables.syncs.update(run.sync, status=status, message=end.message, hint="")


def sweep_waiting_runs(context: Context) -> None:
    """Start or end runs whose turn it is: the worker that ended what they come after may have been of a version that did
    not know of them. Called by the clock."""
    with context.store.read() as tables:
        waiting = [run for run in tables.runs.active() if run.phase == "queued" and run.after]
        ended = [
            run for run in waiting if not any(one.active for one in tables.runs.known(run.after).values())
        ]
    for run in ended:
        with context.store.begin() as tables:
            tables.locks.lock_targets(run.target, *(one.target for one in followers_of(tables, run)))
            if over := next_turn(context, tables, run.id):
                finish_in(context, tables, *over)


def interrupt_run(context: Context, run: Run, why: str, *, terminated: bool, ticket: str = "") -> None:
    """End an apply whose progress is unknown. terminated: its Terraform is certainly no longer running, so its state lock
    is released."""
    # Terraform outlives its worker, so operations in progress may have completed.
    unknown = name_unfinished(unfinished(run.progress), "In progress at the time, may have completed")
    with context.store.begin() as tables:
        tables.plans.take(run.plan_id, "applying", "failed")
        if terminated:
            tables.states.abandon(run.id)
        finish_in(
            context,
            tables,
            run,
            RunEnd(
                "interrupted",
                reference=ticket,
                message=f"{why} during this {run.word}; it is not repeated automatically.{unknown}",
                next_step=replan_command(run),
            ),
        )


def replan_command(run: Run) -> str:
    """Return the next step after an apply that did not succeed."""
    return f"Run `{command(run.planned_by, run.target)}` to see what is left to do."


def start_queued_plans(context: Context, tables: Tables, run: Run) -> None:
    """Enqueue the plans, syncs and drift checks that waited for this apply, unless another apply on the target is active."""
    if tables.runs.changing(run.target):
        return
    for waiting in tables.runs.active(target=run.target):
        if waiting.phase == "queued" and waiting.waits_for:
            tables.runs.update(waiting.id, waits_for="")
            if not waiting.after:
                context.work.enqueue(waiting, tables)


def stop_outcome(context: Context, run: Run, ended: CommandResult) -> Outcome | None:
    """Return the outcome if Terraform was stopped, or None if it ended by itself."""
    if ended.timed_out:
        return "timed_out"
    if not ended.interrupted:
        return None
    with context.store.read() as tables:
        row = tables.runs.get(run.id)
    return "superseded" if row is not None and row.superseded_by and not row.cancel_by else "cancelled"


def fail_run(context: Context, run: Run, ended: CommandResult, *, next_step: str) -> None:
    """End a run whose Terraform failed, with the reason."""
    end = RunEnd(
        "failed",
        message=failure_reason(ended)[:4000],
        next_step=next_step,
        reason=reason_of(context, run, ended),
    )
    finish_run(context, run, end)


def failure_reason(ended: CommandResult) -> str:
    """Return Terraform's first diagnostics, or the end of its log if there are none."""
    reason = "\n".join(ended.diagnostics[:3]) or "\n".join(ended.log.strip().splitlines()[-3:])
    return inert(reason) or f"Terraform ended with exit code {ended.exit_code}."
