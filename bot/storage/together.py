"""Small writes of many threads, made together: the disk is asked once for all that wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine

from bot.storage.failures import Unavailable, told

T = TypeVar("T")

MOST = 100
"""Writes of one transaction: a burst must not keep its first one waiting for its last."""


@dataclass
class _Write:
    make: Callable[[Connection], Any]
    woken: threading.Event = field(default_factory=threading.Event)
    leads: bool = False
    result: Any = None
    error: Exception | None = None


class Together:
    """Writes in the order in which threads ask. Whoever comes while nobody writes does at once; what comes meanwhile is
    one transaction, made by the first of those who wait.

    SQLite lets one transaction write at a time, and whoever waits looks again after a sleep of 1 to 100 ms: of a hundred
    small writes a second some waited a quarter of a second while the file was free.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._guard = threading.Lock()
        self._waiting: list[_Write] = []
        self._writing = False

    def __call__(self, make: Callable[[Connection], T]) -> T:
        """What `make` returns, once it is committed. Raises what it raises, and as `told` does.

        `make` may be called a second time, in a transaction of its own, where another write of its transaction failed.
        """
        write = _Write(make)
        with self._guard:
            self._waiting.append(write)
            write.leads = not self._writing
            self._writing = True
        if not write.leads:
            write.woken.wait()
        if write.leads:
            self._lead()
        if write.error is not None:
            raise write.error
        return cast("T", write.result)

    def _lead(self) -> None:
        """Make the writes that wait, this thread's first among them, and let the next one lead."""
        with self._guard:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        try:
            self._make(batch)
        finally:
            with self._guard:
                self._writing = bool(self._waiting)
                following = self._waiting[:1]
            for write in following:
                write.leads = True
            for write in (*batch, *following):
                write.woken.set()

    def _make(self, batch: list[_Write]) -> None:
        try:
            with told(), self._engine.begin() as connection:
                results = [write.make(connection) for write in batch]
        except Exception as error:
            if len(batch) == 1:
                batch[0].error = error
            else:
                self._apart(batch)
            return
        for write, result in zip(batch, results, strict=True):
            write.result = result

    def _apart(self, batch: list[_Write]) -> None:
        """Each by itself, so that one that cannot be written harms no other; until the database is found to be away."""
        for index, write in enumerate(batch):
            self._make([write])
            if isinstance(write.error, Unavailable):
                for other in batch[index + 1 :]:
                    other.error = write.error
                return
