"""Starts a Terraform under its supervisor, watches it, and stops it when asked to."""

from __future__ import annotations

import logging
import os
import selectors
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bot.domain.ports.terraform import Control, Ended
from bot.domain.redaction import Redactor
from bot.terraform.listener import Listener
from bot.terraform.process import outcome
from bot.terraform.spawner import SPAWNER, Kept, Order
from bot.terraform.supervisor import NEVER

_log = logging.getLogger(__name__)

_LOOK = 0.2
"""Seconds between two looks at the flag that cancels."""
_PATIENCE = 30.0
"""Seconds after the grace until the supervisor itself counts as hung."""
_CAPTURED = 512 << 20
"""Bytes of captured output (a plan as JSON, a state); more would endanger the bot's own memory."""
_CHUNK = 1 << 16


@dataclass
class Call:
    """One call of Terraform.

    journal: where its supervisor writes. success: the exit codes that are none of a failure (`plan` has two).
    capture: Terraform's stdout goes to `stdout`, and only its stderr to the log.
    """

    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    control: Control
    journal: Path
    redactor: Redactor
    success: tuple[int, ...] = (0,)
    capture: bool = False
    stdout: bytearray = field(default_factory=bytearray)

    def run(self) -> Ended:
        """Run to the end, whichever it is; nothing is left behind when this returns."""
        self.journal.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("exit", "pid", "output", "output.old"):
            (self.journal / name).unlink(missing_ok=True)
        return _Watch(self).run()


class _Watch:
    def __init__(self, call: Call) -> None:
        self.call = call
        self.listener = Listener(call.control.on_progress, call.redactor)
        self.cancelled = self.timed_out = self.flooded = False
        self.stopped_at: float | None = None

    def run(self) -> Ended:
        call = self.call
        reading, writing = os.pipe() if call.capture else (-1, -1)
        order = Order(call.argv, call.cwd, call.env, call.journal, call.control.grace)
        try:
            kept = SPAWNER.start(order, writing)
            if writing >= 0:
                os.close(writing)
                writing = -1
            # The context's end closes the control socket: whatever happens here, Terraform is seen to its end.
            with kept:
                self._watch(kept, reading)
        finally:
            for end in (reading, writing):
                if end >= 0:
                    os.close(end)
        self.listener.end()
        return self._ended(self._code(never=kept.never))

    def _watch(self, kept: Kept, captured: int) -> None:
        deadline = time.monotonic() + self.call.control.timeout
        looked = 0.0
        with selectors.DefaultSelector() as selector:
            for stream in (kept.output, *([captured] if captured >= 0 else [])):
                selector.register(stream, selectors.EVENT_READ)
            while selector.get_map():
                for key, _ in selector.select(_LOOK):
                    data = os.read(key.fd, _CHUNK)
                    if not data:
                        selector.unregister(key.fd)
                    elif key.fd == captured:
                        self._capture(data)
                    else:
                        self.listener.feed(data)
                now = time.monotonic()
                if now - looked < _LOOK:
                    continue
                looked = now
                if self.stopped_at is None:
                    self._consider(kept, now, deadline)
                elif now > self.stopped_at + self.call.control.grace + _PATIENCE:
                    kept.kill()
                    return

    def _consider(self, kept: Kept, now: float, deadline: float) -> None:
        """Send the one interrupt where somebody asked for it, time is up, or the output has become too large."""
        self.timed_out = now > deadline
        try:
            self.cancelled = not self.timed_out and self.call.control.cancelled()
        except Exception:
            _log.exception("Whether a run is cancelled could not be read; Terraform runs on")
        if self.cancelled or self.timed_out or self.flooded:
            self.stopped_at = now
            kept.interrupt()

    def _capture(self, data: bytes) -> None:
        if len(self.call.stdout) + len(data) > _CAPTURED:
            self.flooded = True
        else:
            self.call.stdout += data

    def _code(self, *, never: bool) -> int:
        """The exit code; -9 where a keeper was killed and nobody saw the end. never: Terraform was not started."""
        until = time.monotonic() + self.call.control.grace
        state, code = outcome(self.call.journal)
        while state == "running":  # the supervisor was killed; its Terraform is deaf and mute now
            pid = int((self.call.journal / "pid").read_text().split()[0])
            with suppress(OSError):
                os.killpg(pid, signal.SIGKILL if time.monotonic() > until else 0)
            time.sleep(_LOOK)
            state, code = outcome(self.call.journal)
        if code is None and never:
            return NEVER
        if code is None:
            self.listener.say("The process that kept Terraform was killed; how Terraform ended is not known.")
        return -signal.SIGKILL if code is None else code

    def _ended(self, code: int) -> Ended:
        if self.flooded:
            self.listener.say(f"The output is larger than {_CAPTURED >> 20} MB; Terraform was stopped.")
            code = code or 1
        good = code in self.call.success
        return Ended(
            exit_code=code,
            log=self.listener.log.text,
            interrupted=not good and (self.cancelled or self.listener.interrupted),
            timed_out=not good and self.timed_out,
            diagnostics=() if good else self.listener.diagnostics(),
        )
