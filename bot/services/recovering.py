"""After a crash: an apply that was under way is reported as what it became, and never repeated by itself."""

from __future__ import annotations

import time

from bot.domain.ports.terraform import Ended
from bot.domain.run import Plan, Run
from bot.services import uploading
from bot.services.context import Context
from bot.services.ending import interrupt
from bot.services.preparing import journal_of
from bot.services.recording import conclude, policy_of, record, release_id, settle

PATIENCE = 600.0
"""Seconds to wait for a Terraform that outlived its worker: its supervisor has sent it one SIGINT already."""


def resume(context: Context, run: Run, plan: Plan | None) -> None:
    """Wait for the orphan to end, read how it ended, keep the state, and say so."""
    if run.phase == "verifying" and plan is not None:
        with context.store.read() as tables:
            release = tables.releases.get(release_id(run))
        if release is not None:
            conclude(context, run, release, context.backends.restore(plan.backend), policy_of(context, run))
            return
    state, code = _await_orphan(context, run)
    if plan is not None:
        backend = context.backends.restore(plan.backend)
        if code == 0:
            settle(context, run, plan, backend, Ended(0, ""), [])
            return
        uploading.keep(context, run)
        record(context, run, backend)
    interrupt(context, run, "The worker died", gone=state != "running")


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
