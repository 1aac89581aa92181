"""Record a run's progress and log while Terraform runs, and stop Terraform when the run's row says so."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import structlog

from bot.domain.ports.terraform import Control, Progress
from bot.domain.run import Run, unfinished
from bot.errors import TransientError
from bot.services.context import Context, show_run

log = structlog.get_logger()

FLUSH = 0.5
"""Seconds between two writes of progress: soon enough for people, without flooding the database."""

MAX_LINES = 10_000
"""Lines kept in memory while the database is unavailable; older ones are dropped from the log."""

PACE = (5.0, 10.0, 30.0)
"""Seconds after the start at which progress is shown: 5, 10, then every 30."""


class ProgressRecorder:
    """Provides Terraform's `Control` for a run, and stores what Terraform reports. Use it as a context manager."""

    def __init__(
        self, context: Context, run: Run, journal: Path, timeout: timedelta, secrets: Sequence[str]
    ) -> None:
        self._context = context
        self._run = run
        self._lines: list[str] = []
        self._progress: dict[str, object] = dict(run.progress)
        self._changed = False
        self._lock = threading.Lock()
        self._flushed = self._checked = time.monotonic()
        self._stop: str = ""
        self._shown = 0
        self._started = time.monotonic()
        self.control = Control(
            journal=journal,
            on_progress=self._note,
            cancelled=self._stop_requested,
            timeout=timeout.total_seconds(),
            secrets=secrets,
        )

    def __enter__(self) -> ProgressRecorder:
        return self

    def __exit__(self, *_error: object) -> None:
        self.flush()

    @property
    def unfinished(self) -> list[str]:
        """Addresses that Terraform started and did not complete."""
        with self._lock:
            return unfinished(self._progress)

    def _note(self, progress: Progress) -> None:
        with self._lock:
            if progress.line:
                self._lines.append(progress.line)
            if progress.address and progress.state:
                self._progress[progress.address] = {
                    "state": progress.state,
                    "action": progress.action,
                    "elapsed": round(progress.elapsed, 1),
                }
                self._changed = True
        if time.monotonic() - self._flushed >= FLUSH:
            self.flush()

    def _stop_requested(self) -> bool:
        """Whether the run's row requests a stop. It is read at most once per flush, since the request may come from another
        process."""
        if not self._stop and time.monotonic() - self._checked >= FLUSH:
            self._checked = time.monotonic()
            try:
                with self._context.store.read() as tables:
                    row = tables.runs.get(self._run.id)
            except TransientError:
                return False  # an unavailable database does not stop Terraform
            if row is not None:
                self._stop = row.cancel_by or row.superseded_by
            self.flush()
        return bool(self._stop)

    def flush(self) -> None:
        """Write new lines and progress, and mark the surfaces as due if it is time. While the database is unavailable, keep
        them for the next flush; Terraform continues."""
        with self._lock:
            lines, self._lines = self._lines, []
            progress = dict(self._progress) if self._changed else None
            self._changed = False
            self._flushed = time.monotonic()
        if not lines and progress is None:
            return
        due = self._due()
        try:
            self._write(lines, progress, due=due)
        except TransientError as error:
            log.warning(
                "progress not written: database unavailable", run=self._run.id, error=str(error)[:200]
            )
            with self._lock:
                self._lines = (lines + self._lines)[-MAX_LINES:]
                self._changed = self._changed or progress is not None

    def _write(self, lines: list[str], progress: dict[str, object] | None, *, due: bool) -> None:
        with self._context.store.begin() as tables:
            if lines:
                tables.runs.add_log(self._run.id, lines)
            if progress is not None:
                tables.runs.update(self._run.id, progress=progress)
                if due:
                    show_run(tables, self._context.now(), self._run, urgent=False)

    def _due(self) -> bool:
        """Whether it is time to show progress again."""
        elapsed = time.monotonic() - self._started
        next_at = PACE[self._shown] if self._shown < len(PACE) else PACE[-1] * (self._shown - len(PACE) + 2)
        if elapsed < next_at:
            return False
        self._shown += 1
        return True
