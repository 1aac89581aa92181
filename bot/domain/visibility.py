"""What a person could see when they wrote a command, a review or clicked, all by the platforms' clocks.

A comment counts for the plan that was visible when it was written. GitHub tells whole seconds, so of two events in one
second nobody knows which came first. A comment in the second in which the plan appeared counts if its commit had been
pushed in an earlier one: a script that comments as soon as it sees the plan is not refused, and nobody can slip a commit in.
"""

from __future__ import annotations

from datetime import datetime, timedelta

LATE = timedelta(minutes=15)
"""Age from which a command that changes something is not executed any more."""


def was_visible(since: datetime | None, written: datetime, pushed: datetime | None = None) -> bool:
    """Return whether what was published at `since` (None: not yet) was there to read for the author of what was written
    at `written`. pushed: when the commit of a plan was, None if that is not known or in one second nothing may count."""
    if since is None:
        return False
    second, written = since.replace(microsecond=0), written.replace(microsecond=0)
    return second < written or (
        second == written and pushed is not None and pushed.replace(microsecond=0) < written
    )


def is_late(written: datetime | None, now: datetime) -> bool:
    """Return whether a request is too old to change anything. written: None if no person made it."""
    return written is not None and now - written > LATE
