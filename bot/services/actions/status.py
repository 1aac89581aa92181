"""The status of a pull request as a workflow shows it: the targets that it planned or applied, without chat commands."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.chat import Status, TargetStatus
from bot.domain.ports.forge import PullRequest
from bot.domain.run import Run
from bot.domain.target import Target
from bot.services.context import Context
from bot.services.pulls import pull_status

AFTER_PLAN = (
    "After the merge, Terraform plans again. What is the same as here is applied; any difference stops it and is named. "
    "To plan again, push or re-run the workflow."
)
FAILED_APPLY = "Read the log of the job. Then open a pull request: its plan shows what is left to do."
FAILED_PLAN = "Fix it and push, or re-run the workflow."
REFUSED_PLAN = "Re-run the workflow when that has changed."


def plan_status(context: Context, pull: PullRequest, notes: tuple[str, ...]) -> Status:
    """Return the planned targets of a pull request. notes: further sentences."""
    found = pull_status(context, pull)
    rows = tuple(_without_commands(row) for row in found.targets if row.run or row.plan)
    told = (AFTER_PLAN,) if any(row.plan for row in rows) else ()
    return replace(found, targets=rows, notes=(*found.notes, *notes, *told))


def merge_status(context: Context, pull: PullRequest, target: Target) -> Status:
    """Return one target of a merged pull request. The bot's notes are about commands, and left out."""
    found = pull_status(context, pull)
    rows = tuple(_without_commands(row) for row in found.targets if row.target == target)
    return replace(found, targets=rows, notes=())


def _without_commands(row: TargetStatus) -> TargetStatus:
    """Nobody listens for commands here, so none is proposed."""
    return replace(row, next_step="", run=_without_command(row.run) if row.run else None)


def _without_command(run: Run) -> Run:
    if not run.next_step:
        return run
    told = FAILED_APPLY if run.kind == "apply" else REFUSED_PLAN if run.outcome == "refused" else FAILED_PLAN
    return replace(run, next_step=told)
