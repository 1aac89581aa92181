"""Run Terraform under its supervisor, pass its output on, and interrupt it on request."""

from __future__ import annotations

import logging
import os
import selectors
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bot.domain.ports.terraform import Control
from bot.sandbox import Confined
from bot.terraform.process.fork_server import FORK_SERVER, Order, Supervised
from bot.terraform.process.status import outcome
from bot.terraform.process.supervisor import NOT_STARTED

_log = logging.getLogger(__name__)

_POLL = 0.2
"""Seconds between two checks of the cancel flag."""
_SUPERVISOR_GRACE = 30.0
"""Seconds after Terraform's own grace until the supervisor counts as hung and is killed."""
_MAX_CAPTURED = 512 << 20
"""Bytes of captured output (a plan as JSON, a state). More could exhaust the bot's memory."""
_CHUNK = 1 << 16


@dataclass(frozen=True)
class CallKind:
    """How a kind of command is run.

    journal: subdirectory of the control's journal in which the supervisor writes. success: exit codes that are no
    failure (`plan` has two). capture: keep stdout in `Call.stdout`, so that only stderr goes to `on_output`.
    """

    journal: str
    success: tuple[int, ...] = (0,)
    capture: bool = False


@dataclass(frozen=True)
class Exit:
    """How a call ended. code: -9 if it is not known. notes: lines for the log about an abnormal end."""

    code: int
    cancelled: bool = False
    timed_out: bool = False
    notes: tuple[str, ...] = ()


@dataclass
class Call:
    """One call of Terraform. env: its complete environment. on_output: called with each chunk of its output."""

    kind: CallKind
    command: Confined
    cwd: Path
    env: Mapping[str, str]
    control: Control
    on_output: Callable[[bytes], None]
    stdout: bytearray = field(default_factory=bytearray)

    @property
    def journal(self) -> Path:
        return self.control.journal / self.kind.journal

    def run(self) -> Exit:
        """Run until Terraform has ended; no process of the call is left when this returns."""
        self.journal.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("exit", "pid", "output", "output.old"):
            (self.journal / name).unlink(missing_ok=True)
        return _Running(self).run()


class _Running:
    """The state of one running call."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.cancelled = self.timed_out = self.flooded = False
        self.interrupted_at: float | None = None

    def run(self) -> Exit:
        call = self.call
        captured, stdout = os.pipe() if call.kind.capture else (-1, -1)
        order = Order(call.command, call.cwd, call.env, call.journal, call.control.grace)
        try:
            process = FORK_SERVER.start(order, stdout)
            if stdout >= 0:
                os.close(stdout)
                stdout = -1
            # Leaving the context closes the control socket: even after an exception here, Terraform is asked to stop
            # and waited for.
            with process:
                self._watch(process, captured)
        finally:
            for end in (captured, stdout):
                if end >= 0:
                    os.close(end)
        return self._exit(self._exit_code(), never_started=process.never_started)

    def _watch(self, process: Supervised, captured: int) -> None:
        """Read the output until all pipes are closed. captured: the pipe of captured stdout, or -1."""
        deadline = time.monotonic() + self.call.control.timeout
        checked_at = 0.0
        with selectors.DefaultSelector() as selector:
            for stream in (process.output, *([captured] if captured >= 0 else [])):
                selector.register(stream, selectors.EVENT_READ)
            while selector.get_map():
                for key, _ in selector.select(_POLL):
                    data = os.read(key.fd, _CHUNK)
                    if not data:
                        selector.unregister(key.fd)
                    elif key.fd == captured:
                        self._capture(data)
                    else:
                        self.call.on_output(data)
                now = time.monotonic()
                if now - checked_at < _POLL:
                    continue
                checked_at = now
                if self.interrupted_at is None:
                    self._interrupt_if_due(process, now, deadline)
                elif now > self.interrupted_at + self.call.control.grace + _SUPERVISOR_GRACE:
                    process.kill()
                    return

    def _interrupt_if_due(self, process: Supervised, now: float, deadline: float) -> None:
        """Send the one interrupt if the run was cancelled, has timed out, or has captured too much output."""
        self.timed_out = now > deadline
        try:
            self.cancelled = not self.timed_out and self.call.control.cancelled()
        except Exception:
            _log.exception("Cannot read whether the run was cancelled; Terraform keeps running")
        if self.cancelled or self.timed_out or self.flooded:
            self.interrupted_at = now
            process.interrupt()

    def _capture(self, data: bytes) -> None:
        if len(self.call.stdout) + len(data) > _MAX_CAPTURED:
            self.flooded = True
        else:
            self.call.stdout += data

    def _exit_code(self) -> int | None:
        """Return Terraform's exit code; None if there is none, since its supervisor was killed or did not start it."""
        kill_at = time.monotonic() + self.call.control.grace
        state, code = outcome(self.call.journal)
        while state == "running":
            # The supervisor was killed, so nobody reads Terraform's output or interrupts it.
            pid = int((self.call.journal / "pid").read_text().split()[0])
            with suppress(OSError):
                os.killpg(pid, signal.SIGKILL if time.monotonic() > kill_at else 0)
            time.sleep(_POLL)
            state, code = outcome(self.call.journal)
        return code

    def _exit(self, code: int | None, *, never_started: bool) -> Exit:
        notes = []
        if code is None and never_started:
            code = NOT_STARTED
        if code is None:
            notes.append("Terraform's supervisor was killed; how Terraform ended is not known.")
            code = -signal.SIGKILL
        if self.flooded:
            notes.append(f"The output is larger than {_MAX_CAPTURED >> 20} MB; Terraform was stopped.")
            code = code or 1
        return Exit(code, self.cancelled, self.timed_out, tuple(notes))
