"""Run the secrets command once: without a shell, in a clean environment, and for a limited time."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

LARGEST = 1 << 20
"""Bytes of output. An environment's secrets are a few kilobytes."""
POLL = 0.05
"""Seconds between two looks at whether the command has ended."""


class CommandFailed(Exception):
    """The command printed nothing that counts. The text completes a sentence that begins with the command."""


def run_command(words: Sequence[str], environment: Mapping[str, str], timeout: float) -> bytes:
    """Return the command's standard output. timeout: seconds.

    What it writes to standard error goes nowhere: it can contain values, and nobody knows which. What it leaves running is
    killed. Raises CommandFailed.
    """
    try:
        process = subprocess.Popen(
            words,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:  # ValueError: a NUL in a word
        raise CommandFailed(f"could not be started: {getattr(error, 'strerror', error)}") from None
    try:
        output = _read(process, time.monotonic() + timeout)
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        if process.stdout is not None:
            process.stdout.close()
        process.wait()
    if output is None:
        raise CommandFailed(f"did not end within {timeout:g} s")
    if process.returncode < 0:
        raise CommandFailed(f"was killed by signal {-process.returncode}")
    if process.returncode:
        raise CommandFailed(f"exited with {process.returncode}")
    return output


def _read(process: subprocess.Popen[bytes], deadline: float) -> bytes | None:
    """Return all that the command prints until it ends, None if that takes too long. Raises CommandFailed."""
    pipe = process.stdout
    if pipe is None:
        raise AssertionError("stdout is a pipe")
    os.set_blocking(pipe.fileno(), False)
    output = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while time.monotonic() < deadline:
            ended = _has_ended(process)  # before reading: what it wrote until then is in the pipe
            data = _available(pipe.fileno())
            output += data or b""
            if len(output) > LARGEST:
                raise CommandFailed(f"printed more than {LARGEST >> 20} MB")
            if data:
                continue
            if ended:
                return bytes(output)
            if data is not None and selector.get_map():
                selector.unregister(pipe)  # it closed its output, but still runs
            selector.select(POLL)
    return None


def _available(pipe: int) -> bytes | None:
    """Return what can be read now, b"" at the end, None if there is nothing yet."""
    try:
        return os.read(pipe, 1 << 16)
    except BlockingIOError:
        return None


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether the process has ended. It is not reaped, so that its id still names its process group."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
