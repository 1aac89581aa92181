"""Start supervisors by forking them from one small process: 1 ms each, where a new Python takes 12 ms."""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from bot.sandbox import Confined, landlock

_DIRECTORIES = (Path(__file__).parent, Path(landlock.__file__).parent)
_START = """
import sys
sys.path += sys.argv[1:]
import landlock, supervisor
supervisor.serve(landlock.confine)
"""
"""Imports the two modules by their directories, without the package, and so that their compiled form is used."""


@dataclass(frozen=True)
class Order:
    """What a supervisor is to run. env: Terraform's complete environment. grace: seconds from SIGINT to SIGKILL."""

    command: Confined
    cwd: Path
    env: Mapping[str, str]
    journal: Path
    grace: float

    def encode(self) -> bytes:
        """Return the line of JSON that the supervisor reads."""
        command, journal = self.command, str(self.journal.resolve())
        fields = [
            journal,
            self.grace,
            str(self.cwd),
            command.argv,
            dict(self.env),
            command.rules,
            command.bubblewrap,
        ]
        return json.dumps(fields).encode() + b"\n"


@dataclass
class Supervised:
    """A running supervisor. As a context manager it interrupts Terraform on exit if needed, and waits for its end.

    output: the descriptor to read Terraform's output from. replies: what the supervisor wrote to the control socket:
    its process id, and `never` if Terraform was not started.
    """

    control: socket.socket
    output: int
    replies: bytearray = field(default_factory=bytearray)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        with suppress(OSError):
            self.control.shutdown(socket.SHUT_WR)
        with suppress(OSError):
            while data := self.control.recv(1024):
                self.replies += data
        self.control.close()
        os.close(self.output)

    def interrupt(self) -> None:
        """Ask the supervisor to send Terraform its one SIGINT."""
        with suppress(OSError):
            self.control.sendall(b"interrupt\n")

    def kill(self) -> None:
        """Kill the supervisor itself."""
        with suppress(OSError, ValueError):
            self.replies += self.control.recv(1024, socket.MSG_DONTWAIT)
        with suppress(OSError, ValueError):
            os.kill(int(self.replies.split()[0]), signal.SIGKILL)

    @property
    def never_started(self) -> bool:
        """Whether Terraform was certainly not started. Valid after the context has ended."""
        return not self.replies or b"never" in self.replies


class ForkServer:
    """Starts supervisors; safe to use from many threads.

    Its process starts with the first order, and ends when this process does.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._orders: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, order: Order, stdout: int = -1) -> Supervised:
        """Start a supervisor. stdout: a descriptor for Terraform's stdout; -1 to send it where its stderr goes.

        Raises OSError if no process can be started.
        """
        control, theirs = socket.socketpair()
        output, writing = os.pipe()
        try:
            self._send([theirs.fileno(), writing, *([stdout] if stdout >= 0 else [])])
        except OSError:
            control.close()
            os.close(output)
            raise
        finally:
            theirs.close()
            os.close(writing)
        with suppress(OSError):  # a supervisor that died shows by sending no reply
            control.sendall(order.encode())
        return Supervised(control, output)

    def _send(self, descriptors: list[int]) -> None:
        with self._guard:
            if self._orders is not None:
                try:
                    socket.send_fds(self._orders, [b"."], descriptors)
                except OSError:  # the process was killed; its supervisors keep running without it
                    self._stop()
                else:
                    return
            socket.send_fds(self._launch(), [b"."], descriptors)

    def stop(self) -> None:
        """End the process; running supervisors continue."""
        with self._guard:
            self._stop()

    def _stop(self) -> None:
        if self._orders is not None and self._process is not None:
            self._orders.close()
            self._process.wait()
            self._orders = None

    def _launch(self) -> socket.socket:
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _START, *map(str, _DIRECTORIES)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={},
                start_new_session=True,
            )
        return self._orders


FORK_SERVER = ForkServer()
"""The fork server of this process."""
atexit.register(FORK_SERVER.stop)
