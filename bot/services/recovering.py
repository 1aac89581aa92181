"""After a crash: an apply that was under way is reported as what it became, and never repeated by itself."""

from __future__ import annotations

import time

from bot.domain.ports.terraform import Ended
from bot.domain.run import Plan, Run, left_behind, unfinished
from bot.services.context import Context
from bot.services.ending import finish_in
from bot.services.preparing import journal_of
from bot.services.recording import record, settle

PATIENCE = 600.0
"""Seconds to wait for a Terraform that outlived its worker: its supervisor has sent it one SIGINT already."""


def resume(context: Context, run: Run, plan: Plan | None) -> None:
    """Wait for the orphan to end, read how it ended, keep the state, and say so."""
    state, code = _await_orphan(context, run)
    if plan is not None:
        backend = context.backends.restore(plan.backend)
        if code == 0:
            settle(context, run, plan, backend, Ended(0, ""), [])
            return
        record(context, run, backend)
    what = left_behind(unfinished(run.progress))
    with context.store.begin() as tables:
        if plan is not None:
            tables.plans.take(plan.id, "applying", "failed")
        if state != "running":
            tables.states.abandon(run.id)
        finish_in(
            context,
            tables,
            run,
            "interrupted",
            message=f"The worker died during this apply; it is not repeated by itself.{what}",
            next_step=f"`/plan {run.target.environment}` shows what is left to do.",
        )
    context.work.wake()
    context.poke()


def _await_orphan(context: Context, run: Run) -> tuple[str, int | None]:
    """What became of the Terraform that ran when the worker died, and its exit code where that is known."""
    until = time.monotonic() + PATIENCE
    while True:
        state, code = context.terraform.outcome(journal_of(context, run))
        elsewhere = state == "lost" and _works_elsewhere(context, run)
        if (state != "running" and not elsewhere) or time.monotonic() > until:
            return state, code
        time.sleep(1.0 if elsewhere else 0.2)


def _works_elsewhere(context: Context, run: Run) -> bool:
    """Whether the worker that died was on another machine, and its Terraform still holds the state's lock: it has some
    minutes to end what it has begun, and must be able to write the state until then."""
    if journal_of(context, run).exists():
        return False
    with context.store.read() as tables:
        return tables.states.holds(run.target.key, run.id)
