"""Combine small writes of many threads into one transaction, so that the disk is flushed once for all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine

from bot.storage.failures import Unavailable, translated_errors

T = TypeVar("T")

MAX_BATCH = 100
"""Writes per transaction, so that in a burst the first write does not wait for the last."""


@dataclass
class _Write:
    action: Callable[[Connection], Any]
    woken: threading.Event = field(default_factory=threading.Event)
    leads: bool = False
    result: Any = None
    error: Exception | None = None


class WriteBatcher:
    """Writes in the order of the calls. A call that finds no write running writes at once; those that arrive meanwhile
    form one transaction, written by the thread of the first of them.

    SQLite has one writing transaction at a time, and waits for it by polling every 1 to 100 ms: of a hundred small
    writes per second some waited 250 ms while the file was free.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._guard = threading.Lock()
        self._waiting: list[_Write] = []
        self._writing = False

    def __call__(self, action: Callable[[Connection], T]) -> T:
        """Return what `action` returns, once it is committed. Raises what it raises, and Unavailable.

        If another write of the same transaction fails, `action` is called again in a transaction of its own.
        """
        write = _Write(action)
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
        """Write a batch of the waiting writes, this thread's first, then let the next waiting thread lead."""
        with self._guard:
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
        try:
            self._write(batch)
        finally:
            with self._guard:
                self._writing = bool(self._waiting)
                following = self._waiting[:1]
            for write in following:
                write.leads = True
            for write in (*batch, *following):
                write.woken.set()

    def _write(self, batch: list[_Write]) -> None:
        try:
            with translated_errors(), self._engine.begin() as connection:
                results = [write.action(connection) for write in batch]
        except Exception as error:
            if len(batch) == 1:
                batch[0].error = error
            else:
                self._write_separately(batch)
            return
        for write, result in zip(batch, results, strict=True):
            write.result = result

    def _write_separately(self, batch: list[_Write]) -> None:
        """Write each in a transaction of its own, so that a failing one does not affect others.

        Once the database is unavailable, the rest fails without being tried.
        """
        for index, write in enumerate(batch):
            self._write([write])
            if isinstance(write.error, Unavailable):
                for other in batch[index + 1 :]:
                    other.error = write.error
                return
