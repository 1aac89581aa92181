"""Check that a command succeeds: run without a shell, in a clean environment, with no process left behind."""

from __future__ import annotations

import json
import os
import re
import selectors
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from bot.domain.ports.smoke import Smoke, Surroundings
from bot.domain.redaction import Redactor
from bot.domain.sanitize import inert
from bot.sandbox import Sandbox, landlock
from bot.smoke.attempt import POLL, Cancelled, CheckFailed

_LANDLOCK = Path(landlock.__file__).parent
_GUARD = Path(__file__).with_name("process_guard.py")
MAX_OUTPUT = 1 << 16
"""Bytes kept of the end of a command's output."""
MAX_SHOWN = 300
"""Characters of the output that a message shows."""


def run(
    smoke: Smoke,
    surroundings: Surroundings,
    environment: Mapping[str, str],
    sandbox: Sandbox,
    timeout: float,
    cancelled: Callable[[], bool],
) -> str:
    """Run the command once, in the sandbox: of ours it sees its directory alone. Its files exist only while it runs.
    Raises CheckFailed and Cancelled."""
    if not smoke.words:
        raise CheckFailed("the command is empty")
    label = inert(smoke.subject or shlex.join(smoke.words))
    with _written_files(surroundings) as variables:
        home = str(surroundings.directory)
        env = {**environment, **surroundings.env, **variables, "HOME": home, "TMPDIR": home}
        access = sandbox.base.with_writable(surroundings.directory)
        confined = sandbox.confine(smoke.words, access, surroundings.directory)
        try:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-I",
                    "-S",
                    str(_GUARD),
                    str(_LANDLOCK),
                    json.dumps(confined.rules),
                    *confined.argv,
                ],
                cwd=surroundings.directory,
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise CheckFailed(f"`{label}` could not be started: {error}") from None
        try:
            output, timed_out = _watch(process, time.monotonic() + timeout, cancelled)
        finally:
            _kill_group(process)
    last_lines = _last_lines(output, surroundings.hidden)
    if timed_out:
        raise CheckFailed(f"`{label}` took longer than {timeout:.3g} s{last_lines}")
    if process.returncode:
        raise CheckFailed(f"`{label}` exited with {process.returncode}{last_lines}")
    return f"`{label}` succeeded"


def _watch(
    process: subprocess.Popen[bytes], deadline: float, cancelled: Callable[[], bool]
) -> tuple[bytes, bool]:
    """Return the end of the command's output, and whether it timed out. Raises Cancelled."""
    output = bytearray()
    pipe = process.stdout
    if pipe is None:
        raise AssertionError("stdout is a pipe")
    with selectors.DefaultSelector() as selector:
        os.set_blocking(pipe.fileno(), False)
        selector.register(pipe, selectors.EVENT_READ)
        while not _has_ended(process):
            if cancelled():
                raise Cancelled
            if time.monotonic() >= deadline:
                return bytes(output), True
            ready = selector.select(min(POLL, max(0.0, deadline - time.monotonic())))
            if ready and not _read(pipe.fileno(), output):
                selector.unregister(pipe)  # it closed its output, but may still run
        while _read(pipe.fileno(), output):
            if time.monotonic() >= deadline:
                break  # a background process that it left keeps writing
    return bytes(output), False


def _read(pipe: int, output: bytearray) -> bool:
    """Read what is available, keeping only the end; return False if there is nothing now, or no more at all."""
    try:
        data = os.read(pipe, MAX_OUTPUT)
    except BlockingIOError:
        return False
    output += data
    del output[: max(0, len(output) - MAX_OUTPUT)]
    return bool(data)


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether the process has ended. It is not reaped, so that its id still names its process group."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the process group, and reap the process."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.wait()


@contextmanager
def _written_files(surroundings: Surroundings) -> Iterator[dict[str, str]]:
    """Write the command's files, readable by its user only; yield variable → path. Removes them at the end."""
    surroundings.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths: dict[str, Path] = {}
    try:
        for name, content in surroundings.files.items():
            file_name = re.sub(r"[^A-Za-z0-9_]", "_", name)
            path = paths[file_name.upper()] = surroundings.directory / file_name
            path.unlink(missing_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
        yield {variable: str(path) for variable, path in paths.items()}
    finally:
        for path in paths.values():
            path.unlink(missing_ok=True)


def _last_lines(output: bytes, hidden: tuple[str, ...]) -> str:
    """Return `: ` and the end of the output, or "". Redacted before it is cut: half a secret would not be recognised."""
    if len(output) >= MAX_OUTPUT:
        output = output.partition(b"\n")[2] or output[-MAX_SHOWN:]
    lines = Redactor(hidden)(output.decode("utf-8", "replace")).strip().splitlines()
    text = " ".join(" ".join(lines[-3:]).split())
    return f": {inert(text[-MAX_SHOWN:])}" if text else ""
