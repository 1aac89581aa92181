"""A token bucket that lets a burst through, then a steady pace, the urgent first. Pure: clock and sleep are given."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count


class Crowded(Exception):
    """There is no room soon enough. `retry_after` is the expected wait in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"no room for {retry_after:.0f} s")
        self.retry_after = retry_after


@dataclass(frozen=True)
class Pace:
    """At most `burst` at once and `per_second` after it: in any span of s seconds no more than burst + s * per_second."""

    burst: int
    per_second: float


class Bucket:
    """Room for writes under several paces at once, shared by any number of threads.

    paces: all of them must have room. clock: monotonic seconds. sleep: takes seconds.
    """

    def __init__(
        self,
        *paces: Pace,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._paces = paces
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._order = count()
        self._waiting: list[tuple[int, int]] = []
        self._room = [float(pace.burst) for pace in paces]
        self._filled_at = clock()

    def take(self, priority: int = 0, *, within: float = 30.0) -> None:
        """Wait for room and use it. A lower `priority` goes first, equal ones in order of arrival.

        Raises Crowded where the wait would be longer than `within` seconds.
        """
        deadline = self._clock() + within
        with self._lock:
            ticket = (priority, next(self._order))
            self._waiting.append(ticket)
        try:
            while (wait := self._try(ticket)) > 0:
                if self._clock() + wait > deadline:
                    raise Crowded(wait)
                self._sleep(wait)
        finally:
            with self._lock:
                self._waiting.remove(ticket)

    def _try(self, ticket: tuple[int, int]) -> float:
        """0 where the ticket got its room, else the seconds until it may have its turn."""
        with self._lock:
            self._fill()
            ahead = sum(other < ticket for other in self._waiting)
            wait = max(
                (
                    (ahead + 1 - room) / pace.per_second
                    for pace, room in zip(self._paces, self._room, strict=True)
                ),
                default=0.0,
            )
            if wait > 1e-9:  # what floating point leaves over is no reason to sleep
                return wait
            self._room = [room - 1 for room in self._room]
            return 0.0

    def _fill(self) -> None:
        now = self._clock()
        passed, self._filled_at = now - self._filled_at, now
        self._room = [
            min(float(pace.burst), room + passed * pace.per_second)
            for pace, room in zip(self._paces, self._room, strict=True)
        ]
