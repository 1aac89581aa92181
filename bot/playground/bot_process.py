"""The real bot as a separate process, so that it can be killed."""

from __future__ import annotations

import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, ClassVar, Protocol

import httpx

from bot.playground.loopback import no_authorities


def free_port() -> int:
    """Return a free port below 32768, where the system does not pick ports for outgoing connections.

    So nothing else is likely to take it before the bot does.
    """
    while True:
        with socket.socket() as found, suppress(OSError):
            port = 20_000 + secrets.randbelow(12_000)
            found.bind(("127.0.0.1", port))
            return port


class Running(Protocol):
    """A process, as far as it is needed here: `subprocess.Popen` is one."""

    pid: int

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int, /) -> None: ...


class Launch(Protocol):
    def __call__(
        self, arguments: Sequence[str], environment: Mapping[str, str], log: IO[bytes]
    ) -> Running: ...


def launch(arguments: Sequence[str], environment: Mapping[str, str], log: IO[bytes]) -> Running:
    """`python -m bot` with these arguments and nothing else in its environment."""
    return subprocess.Popen(
        [sys.executable, "-m", "bot", *arguments],
        env=dict(environment),
        stdout=log,
        stderr=log,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


class BotProcess:
    """`towpath up` or another command in its own environment. Its log goes to a file."""

    launch: ClassVar[Launch] = staticmethod(launch)
    """Tests start bots in a faster way."""

    def __init__(
        self, environment: Mapping[str, str], log: Path, *, port: int, arguments: tuple[str, ...] = ("up",)
    ) -> None:
        self.environment, self.log, self.port, self.arguments = dict(environment), log, port, arguments
        self._process: Running | None = None

    @property
    def url(self) -> str:
        """The bot's URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id. Raises RuntimeError before the first start."""
        if self._process is None:
            raise RuntimeError("the bot has not been started")
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process is running."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, patience: float = 60.0) -> BotProcess:
        """Start the bot and wait until it answers. Raises RuntimeError with the end of its log if it does not."""
        with self.log.open("ab") as log:
            self._process = self.launch(self.arguments, self.environment, log)
        if "up" in self.arguments or "web" in self.arguments:
            self._wait_until_healthy(patience)
        return self

    def _wait_until_healthy(self, patience: float) -> None:
        until = time.monotonic() + patience
        with httpx.Client(timeout=2, verify=no_authorities(), trust_env=False) as client:
            while time.monotonic() < until and self.alive:
                try:
                    if client.get(f"{self.url}/healthz").status_code == 200:
                        return
                except httpx.HTTPError:
                    time.sleep(0.05)
        self.kill()
        raise RuntimeError(f"the bot did not start:\n{self.tail()}")

    def tail(self, lines: int = 40) -> str:
        """Return the last lines of the log."""
        return (
            "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
            if self.log.is_file()
            else ""
        )

    def kill(self) -> None:
        """Kill the process with SIGKILL, without any cleanup."""
        if self._process is not None:
            if self.alive:
                self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def stop(self, patience: float = 40.0) -> None:
        """Send SIGTERM and wait for the process to exit. Kill it after `patience` seconds."""
        if self._process is None or not self.alive:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
