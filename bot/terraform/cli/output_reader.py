"""Read one Terraform's output: its lines become progress, a bounded log and diagnostics, all redacted."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from itertools import islice

from bot.domain.ports.terraform import Progress
from bot.domain.redaction import Redactor
from bot.domain.why import MAX_DETAIL, MAX_PATH, MAX_SUMMARY, Diagnostic, parse_error, split_errors
from bot.terraform.cli import json_ui
from bot.terraform.cli.bounded_log import BoundedLog, LineSplitter

_log = logging.getLogger(__name__)

_BURST, _RATE = 2000.0, 200.0
"""Lines passed to `on_progress` at once, and per second after that. Changes of a resource's state are always passed."""
_UNREAD = 200
"""Lines kept unparsed during a flood, for the end of the log."""
_LONGEST_UNREAD = 8192
"""Bytes of a line that is kept during a flood; longer ones are dropped."""
_MAX_ERRORS = 50
"""Diagnostics kept of one call."""


class OutputReader:
    """Call `feed` with each chunk of bytes, then `end`."""

    def __init__(self, on_progress: Callable[[Progress], None], redactor: Redactor) -> None:
        self.log = BoundedLog()
        self.interrupted = False
        self._on_progress = on_progress
        self._redactor = redactor
        self._lines = LineSplitter()
        self._unread: deque[bytes] = deque()
        self._errors: list[tuple[str, Diagnostic]] = []
        self._tokens = _BURST
        self._refilled_at = time.monotonic()
        self._omitted = 0

    def feed(self, data: bytes) -> None:
        for line in self._lines.feed(data):
            self._take(line)

    def end(self) -> None:
        for line in self._lines.end():
            self._take(line)
        self._read_unread()
        if self._omitted:
            self._report(Progress(f"… {self._omitted} lines left out …"))

    def add_line(self, line: str) -> None:
        """Add a line of the bot's own to the log."""
        self.log.add(line)

    def errors(self) -> tuple[tuple[str, Diagnostic], ...]:
        """Return the errors in the output, each as text and typed."""
        plain = [] if self._errors else islice(split_errors(self.log.text), _MAX_ERRORS)
        return tuple(self._errors or [(text, parse_error(text)) for text in plain])

    def _take(self, line: bytes) -> None:
        """Read a line. Once the log is full, provisioner output and plain text are not parsed until the end.

        Parsing gigabytes of it would slow Terraform down.
        """
        if self.log.full and (json_ui.PROVISIONER_OUTPUT in line or not line.startswith(b"{")):
            if len(line) > _LONGEST_UNREAD:
                self.log.skip()
                return
            self._unread.append(line)
            if len(self._unread) > _UNREAD:
                self._unread.popleft()
                self.log.skip()
            return
        self._read_unread()
        self._read(line)

    def _read_unread(self) -> None:
        while self._unread:
            self._read(self._unread.popleft())

    def _read(self, line: bytes) -> None:
        text = line.decode(errors="replace")
        for progress in json_ui.read(text):
            redacted = replace(
                progress, line=self._redactor.line(progress.line), address=self._redactor(progress.address)
            )
            self.interrupted = self.interrupted or redacted.line.startswith("Interrupt received.")
            self.log.add(redacted.line)
            if redacted.state not in ("", "progress") or self._take_token():
                self._report(redacted)
            else:
                self._omitted += 1
        if len(self._errors) < _MAX_ERRORS:
            self._errors += [
                (self._redactor(said), self._redacted(error)) for said, error in json_ui.errors(text)
            ]

    def _redacted(self, error: Diagnostic) -> Diagnostic:
        redact = self._redactor
        return replace(
            error,
            summary=redact(error.summary)[:MAX_SUMMARY],  # cut afterwards, so that no secret is cut in two
            detail=redact(error.detail)[:MAX_DETAIL],
            file=redact(error.file)[:MAX_PATH],
            address=redact(error.address)[:MAX_PATH],
        )

    def _take_token(self) -> bool:
        now = time.monotonic()
        self._tokens = min(_BURST, self._tokens + (now - self._refilled_at) * _RATE)
        self._refilled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _report(self, progress: Progress) -> None:
        try:
            self._on_progress(progress)
        except Exception:  # a failing observer must not stop Terraform
            _log.exception("Cannot report Terraform's progress; Terraform keeps running")
