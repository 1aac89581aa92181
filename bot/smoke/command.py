"""A command that ends well: without a shell, with a clean environment, and with nothing left of it."""

from __future__ import annotations

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
from bot.domain.words import inert
from bot.smoke.trying import Cancelled, NotWell

_GUARD = Path(__file__).with_name("guard.py")
_LOOK = 0.1
"""Seconds between two looks at the flag that cancels."""
KEPT = 1 << 16
"""Bytes kept of the end of a command's output."""
SHOWN = 300
"""Characters of it that a message has."""


def run(
    smoke: Smoke,
    surroundings: Surroundings,
    environment: Mapping[str, str],
    timeout: float,
    cancelled: Callable[[], bool],
) -> str:
    """Run it once. Its files are there for as long as it runs. Raises NotWell, Cancelled."""
    if not smoke.words:
        raise NotWell("the command has no words")
    told = inert(smoke.subject or shlex.join(smoke.words))
    with _files(surroundings) as variables:
        env = {**environment, **surroundings.env, **variables, "HOME": str(surroundings.directory)}
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_GUARD), *smoke.words],
                cwd=surroundings.directory,
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise NotWell(f"`{told}` could not be started: {error}") from None
        try:
            output, late = _watch(process, time.monotonic() + timeout, cancelled)
        finally:
            _end(process)
    said = _last(output, surroundings.hidden)
    if late:
        raise NotWell(f"`{told}` took longer than {timeout:.3g} s{said}")
    if process.returncode:
        raise NotWell(f"`{told}` ended with {process.returncode}{said}")
    return f"`{told}` ended well"


def _watch(
    process: subprocess.Popen[bytes], until: float, cancelled: Callable[[], bool]
) -> tuple[bytes, bool]:
    """The end of its output, and whether it took too long. Raises Cancelled."""
    output = bytearray()
    pipe = process.stdout
    if pipe is None:
        raise AssertionError("its output is piped")
    with selectors.DefaultSelector() as selector:
        os.set_blocking(pipe.fileno(), False)
        selector.register(pipe, selectors.EVENT_READ)
        while not _ended(process):
            if cancelled():
                raise Cancelled
            if time.monotonic() >= until:
                return bytes(output), True
            ready = selector.select(min(_LOOK, max(0.0, until - time.monotonic())))
            if ready and not _read(pipe.fileno(), output):
                selector.unregister(pipe)  # it closed its output, and may go on
        while _read(pipe.fileno(), output):
            if time.monotonic() >= until:
                break  # what it left in the background goes on writing
    return bytes(output), False


def _read(pipe: int, output: bytearray) -> bool:
    """Take what is there, keeping the end; False where there is nothing now, or never will be."""
    try:
        data = os.read(pipe, KEPT)
    except BlockingIOError:
        return False
    output += data
    del output[: max(0, len(output) - KEPT)]
    return bool(data)


def _ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it ended. It is not reaped yet: its number still names its group, and nobody else's."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill whatever is left of its group, and reap it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.wait()


@contextmanager
def _files(surroundings: Surroundings) -> Iterator[dict[str, str]]:
    """Each file in a place that its user alone can read, and the variables that name them; gone at the end."""
    surroundings.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    made: dict[str, Path] = {}
    try:
        for name, content in surroundings.files.items():
            plain = re.sub(r"[^A-Za-z0-9_]", "_", name)
            path = made[plain.upper()] = surroundings.directory / plain
            path.unlink(missing_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
        yield {variable: str(path) for variable, path in made.items()}
    finally:
        for path in made.values():
            path.unlink(missing_ok=True)


def _last(output: bytes, hidden: tuple[str, ...]) -> str:
    """Its last words (after a colon). They are hidden before they are cut: half a secret is not found any more."""
    if len(output) >= KEPT:
        output = output.partition(b"\n")[2] or output[-SHOWN:]
    lines = Redactor(hidden)(output.decode("utf-8", "replace")).strip().splitlines()
    said = " ".join(" ".join(lines[-3:]).split())
    return f": {inert(said[-SHOWN:])}" if said else ""
