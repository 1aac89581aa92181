"""How many plans may be requested within an hour: each runs somebody's code, on one of few slots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(hours=1)


@dataclass(frozen=True)
class PlanLimits:
    """Requests for plans within an hour, by one person and for one pull request; 0 for no limit.

    A request counts once, for however many environments and stacks it makes plans.
    """

    per_person: int = 60
    per_pull: int = 30


@dataclass(frozen=True)
class PlanUse:
    """A request for plans that counts. id: of what asked. login: in lower case; empty for a push."""

    id: str
    repository: str
    pull: int
    login: str
    at: datetime


def next_allowed(times: Sequence[datetime], most: int, now: datetime) -> datetime | None:
    """Return when the next request is allowed again, None if it is now. times: of the newest requests, newest first."""
    if most == 0 or len(times) < most:
        return None
    again = times[most - 1] + WINDOW
    return again if again > now else None
