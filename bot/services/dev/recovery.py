"""After a killed command: wait for its Terraform, keep what it left, and say so. Nothing is repeated by itself."""

from __future__ import annotations

import time

from bot.domain.actors import Actor
from bot.domain.run import Origin, Run
from bot.services.context import Context
from bot.services.directories import journal_of
from bot.services.runs import RunEnd, finish_run, interrupt_run
from bot.services.states import keep_unsaved, push_unsaved

PATIENCE = 600.0
"""Seconds to wait for a Terraform that outlived its command; its supervisor has already sent one SIGINT."""
KILLED = "The command was killed"


def recover(context: Context, actor: Actor) -> list[Run]:
    """End the runs that a killed command left; return them as they are now. The caller has made sure that no command is
    working now. A state that Terraform could not save, since it was saved through the command, is saved here. Raises
    Refusal if it does not fit any more."""
    with context.store.read() as tables:
        left = tables.runs.active()
    for run in left:
        if run.kind == "apply" and run.phase in ("applying", "recording", "verifying"):
            terminated = _await_orphan(context, run)
            keep_unsaved(context, run)
            interrupt_run(context, run, KILLED, terminated=terminated)
        else:
            finish_run(context, run, RunEnd("cancelled", message=f"{KILLED}."))
    with context.store.read() as tables:
        unsaved = tables.unsaved.left()
    for state in unsaved:
        push_unsaved(context, state.target, actor, Origin(delivery=state.id))
    with context.store.read() as tables:
        return list(tables.runs.known(run.id for run in left).values())


def _await_orphan(context: Context, run: Run) -> bool:
    """Return whether the run's Terraform is gone, after waiting for it."""
    until = time.monotonic() + PATIENCE
    while context.terraform.outcome(journal_of(context, run))[0] == "running":
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True
