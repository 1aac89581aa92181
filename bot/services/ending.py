"""How a run ends: one transaction that says so, shows it, and lets go of what waited behind it."""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.gates import command
from bot.domain.ports.store import Tables
from bot.domain.ports.terraform import Ended
from bot.domain.run import ACTIVE, Outcome, Run, left_behind, unfinished
from bot.domain.words import inert
from bot.services import approving
from bot.services.context import Context, show_run
from bot.services.reacting import answer_later, react_to_end


def finish(
    context: Context,
    run: Run,
    outcome: Outcome,
    *,
    message: str = "",
    next_step: str = "",
    reference: str = "",
) -> None:
    """End a run (once: whoever comes second changes nothing), and enqueue the plans that waited behind it."""
    with context.store.begin() as tables:
        finish_in(context, tables, run, outcome, message=message, next_step=next_step, reference=reference)
    context.work.wake()
    context.poke()


def finish_in(
    context: Context,
    tables: Tables,
    run: Run,
    outcome: Outcome,
    *,
    message: str = "",
    next_step: str = "",
    reference: str = "",
    plan_id: str = "",
) -> bool:
    """`finish` within a transaction of the caller's; False where it had ended before."""
    tables.locks.alone(run.target)
    ended = tables.runs.move(
        run.id,
        ACTIVE,
        "finished",
        outcome=outcome,
        message=message,
        next_step=next_step,
        reference=reference,
        plan_id=plan_id or run.plan_id,
        finished_at=context.now(),
    )
    if not ended:
        return False
    show_run(tables, context.now(), run)
    if (row := tables.runs.get(run.id)) is not None:
        context.ended(row)
    react_to_end(context, tables, run, outcome)
    tables.credentials.revoke(run.id)
    if run.kind == "plan" and outcome != "planned":
        approving.unplanned(context, tables, run)
    if run.kind == "drift" and outcome != "checked":
        why = f"Drift of {run.target} is not known: {message or 'the look ended early.'}"
        answer_later(context, tables, run, Refused("not-looked", why, next_step))
    if run.kind == "apply":
        release_plans(context, tables, run)
    return True


def interrupt(context: Context, run: Run, why: str, *, gone: bool, ticket: str = "") -> None:
    """End an apply of which nobody knows how far it came. `gone`: its Terraform is surely not at work any more, so what
    it locked is free."""
    # Terraform outlives its worker: what nobody saw the end of may well have come to a good one.
    what = left_behind(unfinished(run.progress), "At work then, and maybe done since")
    with context.store.begin() as tables:
        tables.plans.take(run.plan_id, "applying", "failed")
        if gone:
            tables.states.abandon(run.id)
        finish_in(
            context,
            tables,
            run,
            "interrupted",
            reference=ticket,
            message=f"{why} during this {run.word}; it is not repeated by itself.{what}",
            next_step=replan(run),
        )
    context.work.wake()
    context.poke()


def replan(run: Run) -> str:
    """What people do next where an apply did not end well."""
    return f"`{command(run.planned_by, run.target)}` shows what is left to do."


def release_plans(context: Context, tables: Tables, run: Run) -> None:
    """Enqueue the plans and looks for drift that waited for this apply, unless another apply on the target goes on."""
    if tables.runs.active(target=run.target, kind="apply"):
        return
    for waiting in tables.runs.active(target=run.target):
        if waiting.phase == "queued" and waiting.progress.get("behind"):
            tables.runs.update(waiting.id, progress={})
            context.work.enqueue(waiting, tables)


def stopped(context: Context, run: Run, ended: Ended) -> Outcome | None:
    """Whether Terraform was stopped rather than failing by itself, and why."""
    if ended.timed_out:
        return "timed_out"
    if not ended.interrupted:
        return None
    with context.store.read() as tables:
        row = tables.runs.get(run.id)
    return "superseded" if row is not None and row.superseded_by and not row.cancel_by else "cancelled"


def fail(context: Context, run: Run, ended: Ended, *, next_step: str) -> None:
    """Terraform failed by itself: say why."""
    finish(context, run, "failed", message=reason(ended)[:4000], next_step=next_step)


def reason(ended: Ended) -> str:
    """Terraform's first diagnostics; where it came to none, the last words of its log. The log has the rest."""
    words = "\n".join(ended.diagnostics[:3]) or "\n".join(ended.log.strip().splitlines()[-3:])
    return inert(words) or f"Terraform ended with exit code {ended.exit_code}."
