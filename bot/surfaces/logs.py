"""The end of a run's log, for surfaces that tell of a failure."""

from __future__ import annotations

from bot.domain.run import Run
from bot.services.context import Context

LAST = 30
"""Lines: enough for Terraform's diagnostics with their source lines; the live log has the rest."""


def tail(context: Context, run: Run) -> list[str]:
    """The last lines of a run that ended badly; of others none."""
    if run.active or run.outcome in ("planned", "applied", "superseded"):
        return []
    with context.store.read() as tables:
        return tables.runs.log(run.id)[1][-LAST:]
