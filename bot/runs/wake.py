"""Waking DBOS's queue threads within the process, so that an idle worker polls seldom and a busy one at once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Any

from dbos import _dbos

GATHER = 0.015
"""Seconds from one poll to the next: of a burst of work the first piece is fetched at once, and the others together, not
with a poll for each."""

REST = 0.1
"""Seconds from one poll of a rested queue to the next, while it is rung all the time: at 100 deliveries a second the
polls themselves took a fifth of the process's time, and what was to be answered waited behind them."""

WORKER = "queue-worker-"
"""DBOS 3.4: the name of a queue's thread is this and the queue's."""


class Bell:
    """`ring` ends waits under way. Stands in for the stop event that DBOS's queue threads wait on between polls.

    The first ring is heard at once, further ones after GATHER; those of `rested` queues, which many come for, after REST.

    DBOS 3.4 has no hook for it: at a poll of 0.2 s two idle queues cost 6 % of a core, at 1 s they cost 2 % but a
    run starts half a second late.
    """

    def __init__(self, *rested: str) -> None:
        self._rested = rested
        self._condition = threading.Condition()
        self._rings: Counter[str] = Counter()  # by queue; those for all have no name
        self._heard = threading.local()
        self._stop = threading.Event()

    def ring(self, *queues: str) -> None:
        """End the waits of these queues' threads; without a name, of all threads."""
        with self._condition:
            self._rings.update(queues or [""])
            self._condition.notify_all()

    def over(self, stop: threading.Event) -> Bell:
        """This bell with DBOS's own stop event behind it."""
        self._stop = stop
        return self

    def is_set(self) -> bool:
        return self._stop.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Until the timeout or a ring that this thread has not heard; True when DBOS is stopping."""
        with self._condition:
            heard = getattr(self._heard, "rings", self._mine())
            self._condition.wait_for(lambda: self._mine() != heard or self._stop.is_set(), timeout)
            rung = self._mine() != heard
        if rung:
            pause = REST if self._name() in self._rested else GATHER
            soonest = getattr(self._heard, "last", 0.0) + pause
            time.sleep(max(0.0, soonest - time.monotonic()))
            self._heard.last = time.monotonic()
        self._heard.rings = self._mine()
        return self._stop.is_set()

    def _mine(self) -> int:
        """Rings that were for this thread. Polling all queues for each delivery took a fifth of the process's time."""
        return self._rings[""] + self._rings[self._name()]

    @staticmethod
    def _name() -> str:
        return threading.current_thread().name.removeprefix(WORKER)


def hang(bell: Bell) -> None:
    """Make the next DBOS.launch() wait on `bell`."""
    module: Any = _dbos
    queue_thread = module.queue_thread

    def with_bell(stop: threading.Event, dbos: Any) -> None:
        module.queue_thread = queue_thread
        queue_thread(bell.over(stop), dbos)

    module.queue_thread = with_bell
