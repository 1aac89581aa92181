"""When a schedule is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

MOST = 100
"""Due times that are counted; a bot that was down for longer says so for the last ones."""
LATE = timedelta(minutes=5)
"""A due time that passed longer ago than this was missed."""


def due_between(schedule: str, time_zone: str, after: datetime, until: datetime) -> tuple[datetime, ...]:
    """Return the due times after `after`, up to and including `until`, the newest MOST, in UTC. Both are aware times.

    A time that daylight saving skips or repeats comes once (cronsim, as Debian's cron).
    """
    found: list[datetime] = []
    for moment in CronSim(schedule, after.astimezone(ZoneInfo(time_zone))):
        if moment > until:
            break
        found.append(moment.astimezone(UTC))
        del found[:-MOST]
    return tuple(found)


def next_due(schedule: str, time_zone: str, after: datetime) -> datetime:
    """Return the first due time after a moment, in UTC."""
    return next(CronSim(schedule, after.astimezone(ZoneInfo(time_zone)))).astimezone(UTC)
