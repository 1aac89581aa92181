"""The end of a run's log, for surfaces that report a failure."""

from __future__ import annotations

from bot.domain.run import Run
from bot.services.context import Context

LINES = 30
"""Enough for Terraform's diagnostics with their source lines; the live log has the rest."""


def log_tail(context: Context, run: Run) -> list[str]:
    """Return the last lines of a run that failed; none for others."""
    if run.active or run.outcome in ("planned", "applied", "superseded"):
        return []
    with context.store.read() as tables:
        return tables.runs.log(run.id)[1][-LINES:]
