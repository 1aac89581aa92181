"""Dead workers' work taken over: each worker is seen every few seconds, and one that is not seen any more loses it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bot.domain.ports.store import Store
from bot.runs.alive import Life
from bot.runs.durable import Durable

log = structlog.get_logger()

BEAT = 10.0
"""Seconds between two heartbeats, and between two looks for dead workers."""
SILENCE = timedelta(seconds=30)
"""How long a worker may be silent. Its lock decides as well: a database that was away for a moment has let go of the
locks of workers that live, and a machine that was asleep for an hour still holds its own."""


class Reaper:
    """A thread that shows that this worker lives, and adopts the work of those that do not.

    take: the lock of exactly that worker name, or None where a living process has it.
    """

    def __init__(
        self,
        store: Store,
        work: Durable,
        name: str,
        life: Life,
        take: Callable[[str], Life | None],
        now: Callable[[], datetime],
    ) -> None:
        self._store, self._work, self._name = store, work, name
        self._life, self._take, self._now = life, take, now
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="reaper", daemon=True)

    def start(self) -> None:
        """From here on this worker is seen. What an earlier process of its name was about to show is due again."""
        with self._store.begin() as tables:
            tables.surfaces.free(self._name, self._now())
        self._thread.start()

    def stop(self) -> None:
        """The worker's row stays: what it leaves unfinished is its own at its next start, else another's."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _loop(self) -> None:
        """Others are judged only after the database was there without a break for as long as they may be silent: its
        own absence silences everybody and drops every lock."""
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
        """Keep the lock, be seen, and see whether others share the work."""
        self._life.keep()
        with self._store.begin() as tables:
            tables.workers.seen(self._name, self._now())
            workers = tables.workers.living(self._now() - SILENCE)
        self._work.share(workers)

    def reap(self) -> list[str]:
        """Adopt the work of every worker that is silent and whose lock is free; returns their names."""
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
