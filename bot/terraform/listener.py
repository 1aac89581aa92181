"""Listens to one Terraform: its lines become progress, a bounded log and diagnostics, all redacted."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from bot.domain.ports.terraform import Progress
from bot.domain.redaction import Redactor
from bot.terraform import events
from bot.terraform.log import Lines, Log

_log = logging.getLogger(__name__)

_BURST, _RATE = 2000.0, 200.0
"""Lines told to `on_progress` at once, and a second after that; what happens to a resource is always told."""
_RECENT = 200
"""Lines of a flood that are kept unread, for the log's end."""
_READ = 8192
"""Bytes: a longer line within a flood is not kept."""
_ERRORS = 50
"""Diagnostics of one call; a thousand more of the same kind help nobody."""


class Listener:
    """Feed it bytes, then `end`."""

    def __init__(self, tell: Callable[[Progress], None], redactor: Redactor) -> None:
        self.log = Log()
        self.interrupted = False
        self._tell = tell
        self._redactor = redactor
        self._lines = Lines()
        self._recent: deque[bytes] = deque()
        self._errors: list[str] = []
        self._tokens = _BURST
        self._at = time.monotonic()
        self._untold = 0

    def feed(self, data: bytes) -> None:
        for line in self._lines.feed(data):
            self._take(line)

    def end(self) -> None:
        for line in self._lines.end():
            self._take(line)
        self._catch_up()
        if self._untold:
            self._on_progress(Progress(f"… {self._untold} lines left out …"))

    def say(self, line: str) -> None:
        """A line of our own in the log."""
        self.log.add(line)

    def diagnostics(self) -> tuple[str, ...]:
        """The errors that were told, as text."""
        return tuple((self._errors or list(events.plain_errors(self.log.text)))[:_ERRORS])

    def _take(self, line: bytes) -> None:
        """Once the log is full, chatter is put aside unread: reading gigabytes would slow Terraform itself down."""
        if self.log.full and (events.CHATTER in line or not line.startswith(b"{")):
            if len(line) > _READ:
                self.log.skip()
                return
            self._recent.append(line)
            if len(self._recent) > _RECENT:
                self._recent.popleft()
                self.log.skip()
            return
        self._catch_up()
        self._read(line)

    def _catch_up(self) -> None:
        while self._recent:
            self._read(self._recent.popleft())

    def _read(self, line: bytes) -> None:
        text = line.decode(errors="replace")
        for progress in events.read(text):
            shown = replace(
                progress, line=self._redactor.line(progress.line), address=self._redactor(progress.address)
            )
            self.interrupted = self.interrupted or shown.line.startswith("Interrupt received.")
            self.log.add(shown.line)
            if shown.state not in ("", "progress") or self._token():
                self._on_progress(shown)
            else:
                self._untold += 1
        if len(self._errors) < _ERRORS:
            self._errors += [self._redactor(error) for error in events.errors(text)]

    def _token(self) -> bool:
        now = time.monotonic()
        self._tokens = min(_BURST, self._tokens + (now - self._at) * _RATE)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _on_progress(self, progress: Progress) -> None:
        """Whoever watches may fail; Terraform is not to suffer from it."""
        try:
            self._tell(progress)
        except Exception:
            _log.exception("Progress could not be told; Terraform runs on")
