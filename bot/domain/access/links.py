"""How long links to pages about a run work: as long as its pull request is open, and a little longer."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.ports.forge import PullRequest
from bot.domain.run import Run

GRACE = timedelta(days=3)
"""How long a link works after its pull request was closed, or its run ended if that was later: over a weekend."""


def link_expires(run: Run, pull: PullRequest | None) -> datetime | None:
    """Return when the links to a run's pages stop working (UTC); None while the run is active or its pull request open.

    pull: None for a run without one, such as a scheduled drift check.
    """
    if run.active or (pull is not None and pull.state == "open"):
        return None
    closed = pull.closed_at if pull is not None else None
    times = [time for time in (run.finished_at or run.created_at, closed) if time is not None]
    return max(times) + GRACE if times else None
