"""Take over the work of dead workers: each worker writes a heartbeat, and one without loses its work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bot.domain.ports.store import Store
from bot.jobs.durable import Durable
from bot.jobs.liveness import WorkerLock

log = structlog.get_logger()

BEAT = 10.0
"""Seconds between heartbeats, and between checks for dead workers."""
SILENCE = timedelta(seconds=30)
"""How long a worker may be silent. Its lock decides too: a database that was briefly unavailable has dropped the locks of
living workers, and a machine that slept for an hour still holds its own."""


class Reaper:
    """A thread that writes this worker's heartbeat and takes over the work of dead workers.

    take: returns the lock of a worker's name, or None while a living process holds it.
    """

    def __init__(
        self,
        store: Store,
        work: Durable,
        name: str,
        life: WorkerLock,
        take: Callable[[str], WorkerLock | None],
        now: Callable[[], datetime],
    ) -> None:
        self._store, self._work, self._name = store, work, name
        self._life, self._take, self._now = life, take, now
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="reaper", daemon=True)

    def start(self) -> None:
        """Start the heartbeat. Surfaces that an earlier process of this name had claimed are due again."""
        with self._store.begin() as tables:
            tables.surfaces.free(self._name, self._now())
        self._thread.start()

    def stop(self) -> None:
        """Stop the heartbeat. The worker's row stays: unfinished work is its own at its next start, else another's."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _loop(self) -> None:
        """Reap only after the database was available for SILENCE without a break: while it is unavailable every worker is
        silent and every lock is dropped."""
        steady: float | None = None
        while not self._stop.is_set():
            try:
                self.beat()
                steady = time.monotonic() if steady is None else steady
                if time.monotonic() - steady > SILENCE.total_seconds():
                    self.reap()
            except Exception:
                steady = None
                log.exception("the heartbeat failed; trying again")
            self._stop.wait(BEAT)

    def beat(self) -> None:
        """Keep the lock, write the heartbeat, and count the workers that share the work."""
        self._life.keep()
        with self._store.begin() as tables:
            tables.workers.seen(self._name, self._now())
            workers = tables.workers.living(self._now() - SILENCE)
        self._work.share(workers)

    def reap(self) -> list[str]:
        """Take over the work of every worker that is silent and whose lock is free. Returns their names."""
        with self._store.read() as tables:
            silent = tables.workers.silent(self._now() - SILENCE)
        return [name for name in silent if name != self._name and self._bury(name)]

    def _bury(self, name: str) -> bool:
        life = self._take(name)
        if life is None:
            return False
        try:  # while we hold its lock nobody else can be it, or bury it
            adopted = self._work.adopt(name)
            with self._store.begin() as tables:
                tables.surfaces.free(name, self._now())
                tables.workers.forget(name)
        finally:
            life.release()
        log.warning("a worker is gone; its work was taken over", worker=name, pieces=adopted)
        return True
