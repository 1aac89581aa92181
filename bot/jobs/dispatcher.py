"""Enqueue stored deliveries as durable work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import structlog

from bot.domain.ports.inbox import Delivery, Inbox
from bot.domain.ports.store import Store, Tables
from bot.jobs.durable import Durable

log = structlog.get_logger()

BATCH = 100
GATHER = 0.005
"""Seconds to wait for more of a burst of deliveries, so that they share one transaction."""
REST = 0.1
"""Seconds between such transactions while deliveries keep coming: platforms wait for our responses meanwhile, and
nobody notices a tenth of a second."""
IDLE = 0.5
"""Seconds between checks for deliveries that another process stored; those of this process wake it at once."""


class Dispatcher:
    """A thread that enqueues each new delivery under its own id, so that a crash neither loses nor doubles one.

    note: records what must be known at once, in the same transaction: deliveries may wait long in their queue.
    """

    def __init__(
        self,
        inbox: Inbox,
        store: Store,
        work: Durable,
        note: Callable[[Tables, Sequence[Delivery]], None],
    ) -> None:
        self._inbox, self._store, self._work, self._note = inbox, store, work, note
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._last = 0.0
        self._thread = threading.Thread(target=self._loop, name="dispatcher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def stop(self) -> None:
        self._stop.set()
        self._wake.set()
        self._thread.join(timeout=5)

    def _loop(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                more = self.once()
            except Exception:
                log.exception("dispatching failed; trying again")
                more = False
                self._stop.wait(1.0)
            if not more and self._wake.wait(IDLE):
                time.sleep(max(GATHER, self._last + REST - time.monotonic()))

    def once(self) -> bool:
        """Enqueue pending deliveries. Returns True if there may be more."""
        pending = self._inbox.pending(BATCH)
        if not pending:
            return False
        with self._store.begin() as tables:
            self._note(tables, pending)
            self._work.enqueue_deliveries(tables, pending)
        self._inbox.dispatched([delivery.id for delivery in pending])
        self._last = time.monotonic()
        return len(pending) == BATCH
