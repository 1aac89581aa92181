"""After a crash: report what became of an apply in progress. It is never repeated by itself."""

from __future__ import annotations

import time
from pathlib import Path

from bot.domain.ports.terraform import CommandResult
from bot.domain.run import Plan, Run
from bot.services.applies.record import (
    FinishedApply,
    conclude_apply,
    policy_of,
    record_apply,
    record_state,
    release_id,
)
from bot.services.context import Context
from bot.services.directories import journal_of
from bot.services.identity import remove_tokens
from bot.services.plans import OURS
from bot.services.runs import interrupt_run
from bot.services.states import keep_unsaved

PATIENCE = 600.0
"""Seconds to wait for a Terraform that outlived its worker; its supervisor has already sent one SIGINT."""


def resume_apply(context: Context, run: Run, plan: Plan | None) -> None:
    """Wait for the orphaned Terraform to end, read how it ended, record the state, and end the run."""
    if run.phase == "verifying" and plan is not None:
        with context.store.read() as tables:
            release = tables.releases.get(release_id(run))
        if release is not None:
            conclude_apply(
                context, run, release, context.backends.restore(plan.backend), policy_of(context, run)
            )
            return
    if run.dispatched_at is not None and plan is not None and context.delegate is not None:
        context.delegate.apply(context, run, plan)  # which asks for it once only
        return
    state, code = await_orphan(context, run)
    if plan is not None:
        remove_tokens(Path(plan.worktree) / OURS)  # its Terraform needed them until now
        backend = context.backends.restore(plan.backend)
        if code == 0:
            record_apply(context, run, plan, FinishedApply(backend, CommandResult(0, "")))
            return
        keep_unsaved(context, run)
        record_state(context, run, backend)
    interrupt_run(context, run, "The worker died", terminated=state != "running")


def await_orphan(context: Context, run: Run) -> tuple[str, int | None]:
    """Return what became of the orphaned Terraform, and its exit code if known."""
    until = time.monotonic() + PATIENCE
    while True:
        state, code = context.terraform.outcome(journal_of(context, run))
        elsewhere = state == "lost" and _works_elsewhere(context, run)
        if (state != "running" and not elsewhere) or time.monotonic() > until:
            return state, code
        time.sleep(1.0 if elsewhere else 0.2)


def _works_elsewhere(context: Context, run: Run) -> bool:
    """Whether the dead worker was on another machine and its Terraform still holds the state's lock: it has some minutes
    to finish and must be able to write the state until then."""
    if journal_of(context, run).exists():
        return False
    with context.store.read() as tables:
        return tables.states.holds(run.target.key, run.id)
