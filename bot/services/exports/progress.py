"""Record how far an export is, at most once a second, and pass a cancel on."""

from __future__ import annotations

import time

from bot.domain.exports import Export, ExportPhase, Progress
from bot.domain.ports.exports import ExportControl
from bot.services.context import Context
from bot.services.exports.show import show_export

_EVERY = 1.0
"""Seconds between two records, and between two looks at whether it was cancelled."""
_SHOWN = 3.0
"""Seconds between two edits of the message in Slack, which allows about one a second in a channel."""


class Recorder:
    """Writes the progress of one export."""

    def __init__(self, context: Context, export: Export) -> None:
        self._context, self._export = context, export
        self._phase: ExportPhase | None = None
        self._recorded = self._shown = self._looked = 0.0
        self._cancelled = False

    @property
    def control(self) -> ExportControl:
        return ExportControl(self._record, self._is_cancelled)

    def _record(self, phase: ExportPhase, progress: Progress) -> None:
        now = time.monotonic()
        changed = phase != self._phase
        if not changed and now - self._recorded < _EVERY:
            return
        self._phase, self._recorded = phase, now
        with self._context.store.begin() as tables:
            tables.exports.update(self._export.id, phase=phase, progress=progress)
            if changed or now - self._shown >= _SHOWN:
                self._shown = now
                show_export(self._context, tables, self._export, urgent=changed)

    def _is_cancelled(self) -> bool:
        now = time.monotonic()
        if not self._cancelled and now - self._looked >= _EVERY:
            self._looked = now
            with self._context.store.read() as tables:
                found = tables.exports.get(self._export.id)
            self._cancelled = found is not None and bool(found.cancel_by) and found.phase != "swapping"
        return self._cancelled
