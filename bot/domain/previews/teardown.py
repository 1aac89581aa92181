"""When a destroy that failed is tried again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.previews.instance import Instance
from bot.domain.run import Run

WAITS = (timedelta(minutes=1), timedelta(minutes=5))
"""How long to wait after the first and the second failure. After the third, people have to look."""
STUCK = timedelta(hours=6)
"""How long to wait once it is stuck: what blocked it (a quota, an outage) may have passed."""


def after_failure(instance: Instance, run: Run, now: datetime) -> Instance:
    """Return it after that destroy failed: tried again soon, or stuck after the third failure."""
    failed = instance.attempts + 1
    left = replace(instance, attempts=failed, note=run.message, settled=run.id)
    if failed <= len(WAITS):
        return replace(left, state="partial", retry_at=now + WAITS[failed - 1])
    return replace(left, state="stuck", retry_at=now + STUCK)
