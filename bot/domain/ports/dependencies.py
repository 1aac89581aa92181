"""Port for the dependencies of a local environment: processes and containers on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from bot.domain.dev import Running
from bot.domain.policy import Need

Ended = Literal["stopped", "killed", "gone"]
"""`killed`: it did not end when it was asked to. `gone`: it was not running any more."""


class Launcher(Protocol):
    """Starts and stops dependencies. What was started is recorded, and outlives this process."""

    def running(self) -> list[Running]:
        """Return what was started and not stopped, in the order in which it was started."""
        ...

    def start(self, need: Need) -> Running:
        """Start a dependency and record it. Raises UserError if this machine cannot."""
        ...

    def alive(self, running: Running) -> bool:
        """Whether it still runs. Another process that got its pid does not count."""
        ...

    def stop(self, running: Running) -> Ended:
        """Stop it with all that it started, politely and then hard, and forget it."""
        ...

    def environment(self, need: Need) -> Mapping[str, str]:
        """Return the variables that its command, and the command of its health check, get."""
        ...

    def last_lines(self, running: Running) -> str:
        """Return the end of its log, "" if there is none."""
        ...

    def port_taken(self, port: int) -> bool:
        """Whether something on this machine accepts connections at, or holds, this port."""
        ...
