"""Asks for keepers of Terraform: one small process of ours forks them, which takes 1 ms where a new Python takes 12."""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_START = "import sys; sys.path.append(sys.argv.pop(1)); import supervisor; supervisor.serve()"
"""Imported rather than run: then its compiled form is used."""


@dataclass(frozen=True)
class Order:
    """What a keeper is to run. env: Terraform's whole environment. grace: seconds from its SIGINT to its SIGKILL."""

    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    journal: Path
    grace: float

    def encode(self) -> bytes:
        """One line of JSON, as the keeper reads it."""
        facts = [str(self.journal.resolve()), self.grace, str(self.cwd), list(self.argv), dict(self.env)]
        return json.dumps(facts).encode() + b"\n"


@dataclass
class Kept:
    """A keeper. Use as a context manager: at its end Terraform is asked to stop if it goes on, and seen to its end.

    output: the descriptor from which Terraform's output is read. said: what the keeper wrote back: its process id, and
    `never` where Terraform was not started.
    """

    control: socket.socket
    output: int
    said: bytearray = field(default_factory=bytearray)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        with suppress(OSError):
            self.control.shutdown(socket.SHUT_WR)
        with suppress(OSError):
            while data := self.control.recv(1024):
                self.said += data
        self.control.close()
        os.close(self.output)

    def interrupt(self) -> None:
        """Ask for Terraform's one SIGINT."""
        with suppress(OSError):
            self.control.sendall(b"interrupt\n")

    def kill(self) -> None:
        """Kill the keeper itself."""
        with suppress(OSError, ValueError):
            self.said += self.control.recv(1024, socket.MSG_DONTWAIT)
        with suppress(OSError, ValueError):
            os.kill(int(self.said.split()[0]), signal.SIGKILL)

    @property
    def never(self) -> bool:
        """Whether Terraform was surely not started; to be asked after the end."""
        return not self.said or b"never" in self.said


class Spawner:
    """Safe to use from many threads. Its process begins with the first order, and ends when this one does."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._orders: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, order: Order, stdout: int = -1) -> Kept:
        """A keeper at work. stdout: a descriptor for Terraform's stdout; the rest of its output, or all, is the
        keeper's. Raises OSError where no process can be made."""
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
        with suppress(OSError):  # a keeper that is gone is seen by its silence
            control.sendall(order.encode())
        return Kept(control, output)

    def _send(self, ends: list[int]) -> None:
        with self._guard:
            if self._orders is not None:
                try:
                    socket.send_fds(self._orders, [b"."], ends)
                except OSError:  # it was killed; its keepers live on without it
                    self._end()
                else:
                    return
            socket.send_fds(self._begin(), [b"."], ends)

    def end(self) -> None:
        """End the process; keepers at work go on."""
        with self._guard:
            self._end()

    def _end(self) -> None:
        if self._orders is not None and self._process is not None:
            self._orders.close()
            self._process.wait()
            self._orders = None

    def _begin(self) -> socket.socket:
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _START, str(_SUPERVISOR.parent)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={},
                start_new_session=True,
            )
        return self._orders


SPAWNER = Spawner()
"""That of this process."""
atexit.register(SPAWNER.end)
