"""Wake DBOS's queue threads within the process, so that an idle worker polls rarely and new work starts at once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Any

from dbos import _dbos

GATHER = 0.015
"""Seconds between polls during a burst: the first piece of work is fetched at once, the rest together."""

REST = 0.1
"""Seconds between polls of a rested queue that is woken all the time: at 100 deliveries a second polling took a fifth
of the process's time, and requests waited for it."""

WORKER = "queue-worker-"
"""DBOS 3.4: a queue's thread is named this, followed by the queue's name."""


class QueueWaker:
    """Replaces the stop event that DBOS's queue threads wait on between polls; `ring` ends their waits.

    The first ring works at once, further ones after GATHER, or after REST for `rested` queues, which many ring.

    DBOS 3.4 has no hook for it: its queues poll, and its notifications are of events and streams alone. With three
    queues on SQLite, a poll of 1 s costs 1.6 % of a core and starts work after 640 ms, one of 0.2 s 4.4 % and 124 ms;
    with this bell it is 1.6 % and 29 ms. tests/unit/services/test_dbos.py fails when DBOS changes what is patched here.
    """

    def __init__(self, *rested: str) -> None:
        self._rested = rested
        self._condition = threading.Condition()
        self._rings: Counter[str] = Counter()  # by queue; those for all have no name
        self._seen = threading.local()
        self._stop = threading.Event()

    def ring(self, *queues: str) -> None:
        """End the waits of these queues' threads, or of all threads."""
        with self._condition:
            self._rings.update(queues or [""])
            self._condition.notify_all()

    def over(self, stop: threading.Event) -> QueueWaker:
        """Use DBOS's own stop event for `is_set`; return this waker."""
        self._stop = stop
        return self

    def is_set(self) -> bool:
        return self._stop.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the timeout or a ring that this thread has not seen. Returns True when DBOS is stopping."""
        with self._condition:
            # A thread that has not waited yet has not polled either: a ring from before its first wait counts.
            heard = getattr(self._seen, "rings", 0)
            self._condition.wait_for(lambda: self._own_rings() != heard or self._stop.is_set(), timeout)
            rung = self._own_rings() != heard
        if rung:
            pause = REST if self._name() in self._rested else GATHER
            soonest = getattr(self._seen, "last", 0.0) + pause
            time.sleep(max(0.0, soonest - time.monotonic()))
            self._seen.last = time.monotonic()
        self._seen.rings = self._own_rings()
        return self._stop.is_set()

    def _own_rings(self) -> int:
        """Return how often this thread was rung. Only its own queue counts: polling all queues for each delivery took a
        fifth of the process's time."""
        return self._rings[""] + self._rings[self._name()]

    @staticmethod
    def _name() -> str:
        return threading.current_thread().name.removeprefix(WORKER)


def install(waker: QueueWaker) -> None:
    """Make the queue threads of the next DBOS.launch() wait on `waker`."""
    module: Any = _dbos
    queue_thread = module.queue_thread

    def with_waker(stop: threading.Event, dbos: Any) -> None:
        module.queue_thread = queue_thread
        queue_thread(waker.over(stop), dbos)

    module.queue_thread = with_waker
