"""The bot's side of a worker: start it, pass on its progress, cancel it, and kill it with all it started."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError

from bot.domain.ports.exports import Cancelled, ExportControl
from bot.domain.redaction import Redactor
from bot.errors import TransientError, UserError
from bot.exports.worker.messages import (
    CANCEL,
    MESSAGES,
    RESULTS,
    Advanced,
    Ended,
    Order,
    Returned,
    write_order,
)

log = structlog.get_logger()

_POLL = 0.2
"""Seconds between two looks at whether the export was cancelled."""
_GRACE = 30.0
"""Seconds that a cancelled step gets to end by itself, such as between two statements."""
_LONGEST = 64 << 20
"""Bytes of one message. The largest is the manifest: a hundred bytes for each file."""
_LOGGED = 8000
"""Characters of the worker's own log that are kept when it fails."""


@dataclass(frozen=True)
class WorkerCommand:
    """How to start a worker. env: its complete environment. directory: where it works, and where its log is; its own."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    directory: Path


class WorkerFailed(Exception):
    """The worker broke down. Its traceback is in the log."""


def carry_out(command: WorkerCommand, order: Order, control: ExportControl) -> Any:
    """Run one step in a worker of its own and return its result. No process of it is left when this returns.

    Raises as the port's methods do, and WorkerFailed.
    """
    with (command.directory / "log").open("wb") as errors:
        process = subprocess.Popen(
            command.argv,
            cwd=command.directory,
            env=dict(command.env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    last: Returned | Ended | None = None
    try:
        _send(process, lambda pipe: write_order(pipe, order))
        for message in _messages(process, control.cancelled):
            if isinstance(message, Advanced):
                control.progress(message.phase, message.progress)
            else:
                last = message
                break
    finally:
        _kill(process)
    return _result(order, last, process.returncode, command.directory / "log")


def _messages(
    process: subprocess.Popen[bytes], cancelled: Callable[[], bool]
) -> Iterator[Advanced | Returned | Ended]:
    """Yield what the worker reports until it closes its output, or does not end after a cancel."""
    pipe = process.stdout
    if pipe is None:
        raise AssertionError("stdout is a pipe")
    buffer, asked_at = bytearray(), 0.0
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            if selector.select(_POLL):
                data = os.read(pipe.fileno(), 1 << 16)
                if not data or len(buffer) > _LONGEST:
                    return
                buffer += data
                *lines, rest = buffer.split(b"\n")
                buffer = bytearray(rest)
                for line in lines:
                    yield MESSAGES.validate_json(line)
            if not asked_at and cancelled():
                asked_at = time.monotonic()
                _send(process, lambda pipe: (pipe.write(CANCEL), pipe.flush()))
            if asked_at and time.monotonic() > asked_at + _GRACE:
                yield Ended("cancelled")


def _send(process: subprocess.Popen[bytes], write: Callable[[Any], object]) -> None:
    """Write to the worker, unless it has ended already: how it did comes out when its output is read."""
    with suppress(BrokenPipeError):
        write(process.stdin)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()
    process.wait()


def _result(order: Order, last: Returned | Ended | None, code: int, logged: Path) -> Any:
    if isinstance(last, Returned):
        log.info("an export's step is done", export=order.job.export, step=order.step, peak=last.peak)
        try:
            return RESULTS[order.step].validate_python(last.value, strict=False)
        except ValidationError:
            raise WorkerFailed(f"the result of {order.step} cannot be read") from None
    if last is None or last.reason == "failed":
        secrets = order.job.secrets
        hide = Redactor(
            (secrets.source, secrets.replica, secrets.target, secrets.masking_key, secrets.sealing_key)
        )
        text = (last.text if last else "") + logged.read_text(errors="replace")[-_LOGGED:]
        log.error(
            "an export's worker failed",
            export=order.job.export,
            step=order.step,
            code=code,
            text=hide(text)[-_LOGGED:],
        )
        raise WorkerFailed(f"the worker of {order.step} failed")
    if last.reason == "refused":
        raise UserError(last.text, next_step=last.next_step)
    if last.reason == "unavailable":
        raise TransientError(last.text, retry_after=last.retry_after)
    raise Cancelled
