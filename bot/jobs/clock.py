"""The clock: one scheduler that only ticks. A tick does short, repeatable upkeep or enqueues durable work."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

log = structlog.get_logger()


class Clock:
    """Calls each tick at its interval in seconds, in one thread. Missed ticks run once, late."""

    def __init__(self, ticks: Mapping[str, tuple[float, Callable[[], object]]]) -> None:
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={"default": {"type": "threadpool", "max_workers": 1}},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )
        for name, (seconds, tick) in ticks.items():
            self._scheduler.add_job(_guarded(name, tick), "interval", seconds=seconds, id=name)

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)


def _guarded(name: str, tick: Callable[[], object]) -> Callable[[], None]:
    def guarded() -> None:
        try:
            tick()
        except Exception:
            log.exception("a tick failed", tick=name)

    return guarded
