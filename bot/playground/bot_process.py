"""The real bot as a process of its own, so that it can be killed."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import httpx


def free_port() -> int:
    """A port that was free a moment ago, below those that the system gives to outgoing connections (from 32768 on):
    none of them takes it before the bot does."""
    while True:
        with socket.socket() as found, suppress(OSError):
            port = 20_000 + secrets.randbelow(12_000)
            found.bind(("127.0.0.1", port))
            return port


class BotProcess:
    """`towpath up` (or another role) with an environment of its own; its log goes to a file."""

    def __init__(
        self, environment: Mapping[str, str], log: Path, *, port: int, arguments: tuple[str, ...] = ("up",)
    ) -> None:
        self.environment, self.log, self.port, self.arguments = dict(environment), log, port, arguments
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the bot was not started")
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, *, patience: float = 60.0) -> BotProcess:
        """Start it and wait until it answers. Raises RuntimeError with the end of its log where it does not."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bot", *self.arguments],
                env=self.environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        if "up" in self.arguments or "web" in self.arguments:
            self._await(patience)
        return self

    def _await(self, patience: float) -> None:
        until = time.monotonic() + patience
        while time.monotonic() < until and self.alive:
            try:
                if httpx.get(f"{self.url}/healthz", timeout=2).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.05)
        self.kill()
        raise RuntimeError(f"the bot did not come up:\n{self.tail()}")

    def tail(self, lines: int = 40) -> str:
        """The end of its log."""
        return (
            "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
            if self.log.is_file()
            else ""
        )

    def kill(self) -> None:
        """kill -9: nothing is said, nothing is put away."""
        if self._process is not None:
            if self.alive:
                os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def stop(self, patience: float = 40.0) -> None:
        """Ask it to end, and wait; kill it when it does not."""
        if self._process is None or not self.alive:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
