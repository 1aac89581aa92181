"""A dependency of a local environment: what was started, and how it is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from bot.domain.policy import Need

Health = Literal["healthy", "unhealthy", "died", "stopped"]
"""`died`: it was started and ended by itself. `stopped`: it was not started, or was stopped by `towpath dev down`."""


@dataclass(frozen=True)
class Running:
    """A dependency as it was started: a process, or a container.

    digest: of its definition in the policy. log: path of a file, or the command that shows a container's. born: when the
    process began, as the system tells it, so that another process with the same pid is not taken for it. engine: the
    program that runs the container.
    """

    name: str
    digest: str
    log: str
    pid: int = 0
    born: str = ""
    container: str = ""
    engine: str = ""

    @property
    def described(self) -> str:
        return f"container {self.container}" if self.container else f"pid {self.pid}"


@dataclass(frozen=True)
class Dependency:
    """How a dependency is. declared: whether the policy still has it. message: what the health check saw, or ""."""

    name: str
    health: Health
    ports: tuple[int, ...] = ()
    running: Running | None = None
    message: str = ""
    declared: bool = True


def definition_digest(need: Need) -> str:
    """Return the digest of a definition: a dependency whose definition changed is started anew."""
    return hashlib.sha256(need.model_dump_json(exclude_unset=True).encode()).hexdigest()[:16]
