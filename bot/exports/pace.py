"""How far an extraction or a load is, told once a second."""

from __future__ import annotations

import threading
import time
from collections import deque

from bot.domain.exports import ExportPhase, Progress
from bot.domain.ports.exports import ExportControl

_EVERY = 1.0
"""Seconds between two reports."""
_WINDOW = 10
"""Reports that the rate is an average of."""


class Pace:
    """Counts rows and bytes of a phase and reports them. Safe to use from several threads. total: rows in all."""

    def __init__(self, control: ExportControl, phase: ExportPhase, total: int) -> None:
        self._control, self._phase, self._total = control, phase, total
        self._turn = threading.Lock()
        self._rows = self._bytes = 0
        self._table = ""
        self._told = 0.0
        self._seen: deque[tuple[float, int]] = deque([(time.monotonic(), 0)], maxlen=_WINDOW)

    def add(self, table: str, rows: int, size: int) -> None:
        """Count rows of a table."""
        with self._turn:
            self._rows += rows
            self._bytes += size
            self._table = table
            now = time.monotonic()
            if now - self._told >= _EVERY:
                self._told = now
                self._report(now)

    def waits(self, why: str) -> None:
        """Say why nothing happens, or "" when it goes on."""
        with self._turn:
            self._control.progress(
                self._phase, Progress(self._rows, self._total, self._bytes, self._table, waiting=why)
            )

    def end(self) -> None:
        """Report the last counts."""
        with self._turn:
            self._report(time.monotonic())

    def _report(self, now: float) -> None:
        since, before = self._seen[0]
        self._seen.append((now, self._rows))
        rate = (self._rows - before) / (now - since) if now > since else 0.0
        left = max(0, self._total - self._rows)
        remaining = left / rate if rate else None
        self._control.progress(
            self._phase,
            Progress(self._rows, self._total, self._bytes, self._table, rate, remaining),
        )
