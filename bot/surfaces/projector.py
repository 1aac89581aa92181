"""Project surfaces: render what people should see from the current rows, compare it with what was last posted, and create
or edit it. After a crash, a lost response or an outage the surface is projected again, never posted a second time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    wait_fixed,
)

from bot.domain.ports.chat import ChatError
from bot.domain.ports.forge import ForgeError
from bot.domain.ports.surfaces import Surface, SurfaceKind
from bot.errors import TransientError, reference
from bot.services.context import Context

log = structlog.get_logger()

LEASE = timedelta(minutes=5)
"""How long a claimed surface is hidden from other workers: far longer than a projection takes. The reaper frees the claims
of a worker that died at once."""
BATCH = 4
"""Surfaces of one pull request that are claimed together and share its status: a run changes comment, card, gate and a
check. More would make others wait for a slow platform."""
IDLE = 1.0
"""Seconds between two checks for due surfaces without a notification."""
SETTLE_RETRY = 1.0
"""Seconds between two attempts to record what was posted, while the database is unavailable."""
MAX_ATTEMPTS = 12
"""Attempts before a surface that keeps failing, such as in a deleted channel, is given up."""
GIVEN_UP_RETRY = timedelta(hours=1)
"""Time between two attempts at a surface that was given up, while its pull request is open. People take hours to fix a
permission or a channel, and one refusal an hour does not bother a platform."""

Projection = Callable[[Context, Surface], Surface]
"""Update the platform; return the surface with its new `external` and `digest`."""


class Projector:
    """Threads that project due surfaces, urgent ones first. Any number of workers share the surfaces by leases."""

    def __init__(
        self, context: Callable[[], Context], projections: Mapping[SurfaceKind, Projection], threads: int = 3
    ) -> None:
        self._context = context
        self._projections = projections
        self._due = threading.Condition()
        self._notified = False
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._loop, name=f"projector-{number}", daemon=True)
            for number in range(threads)
        ]

    def start(self) -> None:
        """Start the threads. Surfaces that were given up are tried at once, since people restart to fix things."""
        context = self._context()
        with context.store.begin() as tables:
            tables.surfaces.retry(context.now())
        for thread in self._threads:
            thread.start()

    def poke(self) -> None:
        """Wake one thread: something became due. It wakes the next one when it has found something, so that what became
        due together is shared out, and all others need not look for what they cannot get."""
        with self._due:
            self._notified = True
            self._due.notify()

    def stop(self) -> None:
        self._stop.set()
        with self._due:
            self._due.notify_all()
        for thread in self._threads:
            if thread.is_alive():  # a clock process has not started them
                thread.join(timeout=5)

    def _loop(self) -> None:
        while not self._stop.is_set():
            try:
                busy = self.once()
            except Exception:
                log.exception("projection failed; retrying")
                busy = False
                self._stop.wait(1.0)
            if busy:
                continue
            with self._due:
                if not self._notified and not self._stop.is_set():
                    self._due.wait(IDLE)
                self._notified = False

    def once(self) -> bool:
        """Project a due surface, and others of its pull request with the same status. Return False if nothing is due."""
        context = replace(self._context(), sights={})
        now = context.now()
        with context.store.begin() as tables:
            claimed = tables.surfaces.claim(now, now + LEASE, context.worker, BATCH)
        if claimed:
            self.poke()
        for surface in claimed:
            self._settle(context, self._project(context, surface), surface.due_at)
        return bool(claimed)

    def _settle(self, context: Context, posted: Surface, leased: datetime | None) -> None:
        """Record what was posted, in a transaction for each surface, since others lock several in another order. While
        the database is unavailable, retry as long as the claim lasts."""

        def settle() -> None:
            with context.store.begin() as tables:
                tables.surfaces.settle(posted, leased)

        def give_up(_state: RetryCallState) -> bool:
            """Return whether the process stops, or the claim ends before the next attempt."""
            next_attempt = context.now() + timedelta(seconds=SETTLE_RETRY)
            return self._stop.is_set() or leased is None or next_attempt >= leased

        retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            wait=wait_fixed(SETTLE_RETRY),
            stop=give_up,
            sleep=sleep_using_event(self._stop),
            reraise=True,
        )
        retrying(settle)

    def _project(self, context: Context, surface: Surface) -> Surface:
        try:
            posted = self._projections[surface.kind](context, surface)
            return replace(posted, attempts=0, due_at=None, error="", settled_at=context.now())
        except (ForgeError, ChatError, TransientError) as error:
            return self._retry_later(context, surface, error, getattr(error, "retry_after", None))
        except Exception as error:
            if not _given_up(surface):
                log.exception("surface failed", surface=surface.id, reference=reference())
            return self._retry_later(context, surface, error, None)

    def _retry_later(
        self, context: Context, surface: Surface, error: Exception, wait: float | None
    ) -> Surface:
        """Retry after the time that the platform asks for, else with growing pauses; give up what keeps failing. Attempts
        are then reset, so that a new request for the surface is tried at once."""
        attempts = surface.attempts + 1
        row = self._row(context, surface)
        given_up = _given_up(surface)
        if wait is None and (attempts >= MAX_ATTEMPTS or given_up):
            now, reason = context.now(), str(error)[:500]
            if not given_up:
                log.warning("surface given up", surface=surface.id, attempts=attempts, error=reason[:300])
            due_at = now + GIVEN_UP_RETRY if _pull_is_open(context, surface) else None
            return replace(row, attempts=0, due_at=due_at, error=reason, settled_at=now)
        pause = max(wait or 0.0, min(2.0 ** min(attempts, 6), 60.0) if attempts > 1 or wait is None else 0.5)
        log.info("surface delayed", surface=surface.id, seconds=round(pause, 1), error=str(error)[:300])
        return replace(
            row, attempts=attempts, due_at=context.now() + timedelta(seconds=pause), error=str(error)[:500]
        )

    @staticmethod
    def _row(context: Context, surface: Surface) -> Surface:
        """Return the surface with what a failed projection saved on the way, such as that a creation was tried."""
        with context.store.read() as tables:
            return tables.surfaces.get(surface.id) or surface


def _given_up(surface: Surface) -> bool:
    """Return whether it was given up before, and is only tried now and then."""
    return surface.error != "" and surface.attempts == 0


def _pull_is_open(context: Context, surface: Surface) -> bool:
    with context.store.read() as tables:
        pull = tables.pulls.get(surface.repository, surface.pull)
    return pull is not None and pull.state == "open"


def mark_tried(context: Context, surface: Surface) -> None:
    """Record a creation before it is tried: if the response is lost, the next attempt searches before it creates."""
    with context.store.begin() as tables:
        row = tables.surfaces.get(surface.id)
        if row is not None and row.external != surface.external:
            raise TransientError("another worker has taken over this surface", retry_after=1.0)
        tables.surfaces.save(replace(surface, tried=True))
