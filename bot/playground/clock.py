"""The time that the stand-ins for GitHub and Slack share."""

from __future__ import annotations

import math
import threading
import time
from datetime import UTC, datetime, timedelta


class Clock:
    """The machine's time, and ahead of it by what people took to read.

    A script comments in the very moment in which it sees a plan; a person needs longer. So each act of a person begins in
    a new second, and the clock stands still there until the machine's has caught up.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._floor = 0.0
        self._shift = 0.0

    def time(self) -> float:
        """Return seconds since 1970."""
        with self._guard:
            return self._now()

    def now(self) -> datetime:
        """Return the time, UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def read(self) -> None:
        """Let a person read what is there: move on to the next second."""
        with self._guard:
            self._floor = math.floor(self._now() - self._shift) + 1.0

    def shift(self, by: timedelta) -> None:
        """Be off by that much from now on, as in what was written before an outage."""
        with self._guard:
            self._shift = by.total_seconds()

    def _now(self) -> float:
        return max(time.time(), self._floor) + self._shift
