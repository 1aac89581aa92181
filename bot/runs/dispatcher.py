"""From deliveries to durable work."""

from __future__ import annotations

import threading
import time

import structlog

from bot.domain.ports.inbox import Inbox
from bot.domain.ports.store import Store
from bot.runs.durable import INBOX, Durable

log = structlog.get_logger()

BATCH = 100
GATHER = 0.005
"""Seconds in which a burst of deliveries gathers, so that they cost one transaction together."""
REST = 0.1
"""Seconds from one such transaction to the next while they come all the time: platforms wait for the answers that are
given meanwhile, people do not see a tenth of a second."""
IDLE = 0.5
"""Seconds between looks for what another process took in; deliveries of this process wake it at once."""


class Dispatcher:
    """A thread that enqueues each new delivery under its own id: a crash between the two loses and doubles nothing."""

    def __init__(self, inbox: Inbox, store: Store, work: Durable) -> None:
        self._inbox, self._store, self._work = inbox, store, work
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
        """Enqueue what is pending; True where there may be more."""
        pending = self._inbox.pending(BATCH)
        if not pending:
            return False
        with self._store.begin() as tables:
            self._work.enqueue_deliveries(tables.connection, pending)
        self._inbox.dispatched([delivery.id for delivery in pending])
        self._work.wake(INBOX)
        self._last = time.monotonic()
        return len(pending) == BATCH
