"""Starts bots and commands in tests by forking one process that has imported everything: imports are nine tenths of what
a bot's start costs, and a run of all tests starts some two hundred.

A forked process is as `python -m bot`: a session, an environment, arguments and output of its own, the same end by
signals. How the bot starts without this is tested where its command line is (`towpath demo`, `towpath tour`, the wheel).
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import json
import os
import pkgutil
import random
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import bot.cli

MOST = 2**18
"""Bytes of a request: an environment, mostly."""
_SITE = "sitecustomize.py"
LATER = (
    "alembic.command",
    "dbos._sys_db_sqlite",
    "httpcore",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
)
"""What a bot imports when it first needs it, which is at its start."""


class Forked:
    """A process that was forked; as much of `subprocess.Popen` as is used of bots. handle: its pidfd."""

    def __init__(self, server: ForkServer, pid: int, handle: int) -> None:
        self.pid, self._server, self._handle = pid, server, handle
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code; None while it lives."""
        if self.returncode is None and select.select([self._handle], [], [], 0)[0]:
            self._end()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._handle], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("bot", timeout or 0.0)
            self._end()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            signal.pidfd_send_signal(self._handle, number)

    def _end(self) -> None:
        self.returncode = self._server.code(self.pid)
        os.close(self._handle)


class ForkServer:
    """Its process begins with the first request. `stop` ends it; bots live on."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None

    def launch(self, arguments: Sequence[str], environment: Mapping[str, str], log: IO[bytes]) -> Forked:
        """A bot with these arguments, and nothing else in its environment."""
        return self._start(arguments, environment, log, log)

    def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], timeout: float = 120.0
    ) -> subprocess.CompletedProcess[str]:
        """A command, up to its end. Raises subprocess.TimeoutExpired."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
            process = self._start(arguments, environment, out, error)
            try:
                code = process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                raise
            out.seek(0)
            error.seek(0)
            said = out.read().decode(), error.read().decode()
        return subprocess.CompletedProcess(list(arguments), code, *said)

    def code(self, pid: int) -> int:
        """The exit code of a process that has ended."""
        return self._ask({"ended": pid})[0]

    def stop(self) -> None:
        if self._line is not None and self._process is not None:
            self._line.close()
            self._process.wait()
            self._line = self._process = None

    def _start(
        self, arguments: Sequence[str], environment: Mapping[str, str], out: IO[bytes], error: IO[bytes]
    ) -> Forked:
        task = {"arguments": list(arguments), "environment": dict(environment)}
        pid, handles = self._ask({"start": task}, out.fileno(), error.fileno())
        return Forked(self, pid, handles[0])

    def _ask(self, request: Mapping[str, Any], *descriptors: int) -> tuple[int, list[int]]:
        with self._guard:
            line = self._line or self._begin()
            socket.send_fds(line, [json.dumps(request).encode()], descriptors)
            answer, handles, _, _ = socket.recv_fds(line, 64, 1)
        return int(answer), handles

    def _begin(self) -> socket.socket:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.fork_server", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                cwd=Path(__file__).parents[1],
                start_new_session=True,
            )
        return self._line


def serve(line: socket.socket) -> dict[str, Any] | None:
    """Fork until the line ends. Returns in each child what it is to do, and None in the end."""
    for name in (*(f"bot.cli.{module.name}" for module in pkgutil.iter_modules(bot.cli.__path__)), *LATER):
        importlib.import_module(name)
    gc.freeze()
    while True:
        data, outputs, _, _ = socket.recv_fds(line, MOST, 2)
        if not data:
            return None
        request = json.loads(data)
        if pid := request.get("ended"):
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            line.send(str(code).encode())
            continue
        if (pid := os.fork()) == 0:
            line.close()
            return {**request["start"], "outputs": outputs}
        handle = os.pidfd_open(pid)
        socket.send_fds(line, [str(pid).encode()], [handle])
        for descriptor in (handle, *outputs):
            os.close(descriptor)


def become(arguments: Sequence[str], environment: Mapping[str, str], outputs: Sequence[int]) -> None:
    """In the child: `python -m bot` with these arguments."""
    os.setsid()
    for number, descriptor in enumerate(outputs, 1):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(environment)
    random.seed()
    for directory in environment.get("PYTHONPATH", "").split(os.pathsep):
        if directory and (Path(directory) / _SITE).is_file():
            spec = importlib.util.spec_from_file_location("bots_site", Path(directory) / _SITE)
            assert spec is not None
            assert spec.loader is not None
            spec.loader.exec_module(importlib.util.module_from_spec(spec))
    sys.argv = ["towpath", *arguments]
    bot.cli.main()


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as _line:
        _task = serve(_line)
    if _task is not None:
        become(**_task)
