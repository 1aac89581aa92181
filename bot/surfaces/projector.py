"""Projections: what people should see is rendered from the rows as they are now, compared with what was last posted,
and created or edited. So a crash, a lost answer or an outage heals by projecting again, never by a second comment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.domain.ports.chat import ChatError
from bot.domain.ports.forge import ForgeError
from bot.domain.ports.surfaces import Surface, SurfaceKind
from bot.errors import TransientError, reference
from bot.services.context import Context

log = structlog.get_logger()

LEASE = timedelta(minutes=5)
"""How long a claimed surface is hidden from other workers: far longer than it takes. A worker that dies gives up its
claims at once, see the reaper."""
TOGETHER = 4
"""Surfaces that are shown by one look at their pull request: comment, card, gate and a check are what a run changes. More
would make others wait for a slow platform."""
IDLE = 1.0
MOST = 12
"""Attempts at something that fails for good, such as a channel that is gone, before it is given up."""
SLOW = timedelta(hours=1)
"""Between two tries of what was given up while its pull request is open: what people repair (a permission, a channel)
takes them hours, and a refusal an hour is nothing to a platform."""

Projection = Callable[[Context, Surface], Surface]
"""Make the platform show what it should; returns the surface with its new `external` and `digest`."""


class Projector:
    """Threads that project what is due, the urgent first. Any number of workers share the surfaces by leases."""

    def __init__(
        self, context: Callable[[], Context], projections: Mapping[SurfaceKind, Projection], threads: int = 3
    ) -> None:
        self._context = context
        self._projections = projections
        self._bell = threading.Condition()
        self._rings = 0
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._loop, name=f"projector-{number}", daemon=True)
            for number in range(threads)
        ]

    def start(self) -> None:
        """What was given up is tried at once: a restart is how people repair things."""
        context = self._context()
        with context.store.begin() as tables:
            tables.surfaces.retry(context.now())
        for thread in self._threads:
            thread.start()

    def poke(self) -> None:
        """Something became due: look now."""
        with self._bell:
            self._rings += 1
            self._bell.notify_all()

    def stop(self) -> None:
        self._stop.set()
        self.poke()
        for thread in self._threads:
            if thread.is_alive():  # a clock projects nothing
                thread.join(timeout=5)

    def _loop(self) -> None:
        heard = 0
        while not self._stop.is_set():
            try:
                busy = self.once()
            except Exception:
                log.exception("projecting failed; trying again")
                busy = False
                self._stop.wait(1.0)
            if busy:
                continue
            with self._bell:
                if self._rings == heard:
                    self._bell.wait(IDLE)
                heard = self._rings

    def once(self) -> bool:
        """Project a due surface, and others of its pull request by the same look; False where nothing is due."""
        context = replace(self._context(), sights={})
        now = context.now()
        with context.store.begin() as tables:
            claimed = tables.surfaces.claim(now, now + LEASE, context.worker, TOGETHER)
        for surface in claimed:
            self._settle(context, self._project(context, surface), surface.due_at)
        return bool(claimed)

    def _settle(self, context: Context, posted: Surface, leased: datetime | None) -> None:
        """Each in a transaction of its own: whoever wants several at once has them in another order. While the database
        is away what was posted is kept here, at most as long as the claim."""
        while True:
            try:
                with context.store.begin() as tables:
                    tables.surfaces.settle(posted, leased)
                return
            except TransientError:
                if self._stop.wait(1.0) or leased is None or context.now() >= leased:
                    raise

    def _project(self, context: Context, surface: Surface) -> Surface:
        try:
            posted = self._projections[surface.kind](context, surface)
            return replace(posted, attempts=0, due_at=None, error="", settled_at=context.now())
        except (ForgeError, ChatError, TransientError) as error:
            return self._later(context, surface, error, getattr(error, "retry_after", None))
        except Exception as error:
            if not _given_up(surface):
                log.exception("a surface could not be shown", surface=surface.id, reference=reference())
            return self._later(context, surface, error, None)

    def _later(self, context: Context, surface: Surface, error: Exception, wait: float | None) -> Surface:
        """Try again after what the platform asks for, else ever later; give it up when it fails for good. Without
        attempts a new wish for it is followed at once."""
        attempts = surface.attempts + 1
        row = self._row(context, surface)
        before = _given_up(surface)
        if wait is None and (attempts >= MOST or before):
            now, reason = context.now(), str(error)[:500]
            if not before:
                log.warning("given up", surface=surface.id, attempts=attempts, error=reason[:300])
            due_at = now + SLOW if _open(context, surface) else None
            return replace(row, attempts=0, due_at=due_at, error=reason, settled_at=now)
        pause = max(wait or 0.0, min(2.0 ** min(attempts, 6), 60.0) if attempts > 1 or wait is None else 0.5)
        log.info("a surface waits", surface=surface.id, seconds=round(pause, 1), error=str(error)[:300])
        return replace(
            row, attempts=attempts, due_at=context.now() + timedelta(seconds=pause), error=str(error)[:500]
        )

    @staticmethod
    def _row(context: Context, surface: Surface) -> Surface:
        """What a failed projection has saved on its way (such as that a creation was tried) is kept."""
        with context.store.read() as tables:
            return tables.surfaces.get(surface.id) or surface


def _given_up(surface: Surface) -> bool:
    """Whether it failed for good before, and is only tried now and then."""
    return surface.error != "" and surface.attempts == 0


def _open(context: Context, surface: Surface) -> bool:
    """Whether its pull request is open: nobody looks for what cannot be shown at another."""
    with context.store.read() as tables:
        pull = tables.pulls.get(surface.repository, surface.pull)
    return pull is not None and pull.state == "open"


def tried(context: Context, surface: Surface) -> None:
    """Note before a creation that it is tried: should its answer be lost, the next attempt looks before it creates."""
    with context.store.begin() as tables:
        row = tables.surfaces.get(surface.id)
        if row is not None and row.external != surface.external:
            raise TransientError("another worker has this surface by now", retry_after=1.0)
        tables.surfaces.save(replace(surface, tried=True))
