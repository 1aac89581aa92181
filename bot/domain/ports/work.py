"""Durable work as the services see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from bot.domain.policy import Policy
from bot.domain.ports.state import Author, StatePlace
from bot.domain.ports.store import Tables
from bot.domain.ports.terraform import Backend, Initialised
from bot.domain.run import Run
from bot.domain.target import Target


class Work(Protocol):
    """Queues. What is enqueued within a transaction is there if and only if that commits."""

    def enqueue(self, run: Run, tables: Tables) -> None:
        """Put a queued run where it belongs: `plans` by target and pull request, `applies` by target. What was ended
        before its turn comes (taken back, superseded) is passed over then: there is no taking it off the queue."""
        ...

    def wake(self) -> None:
        """After the commit: look now, do not wait for the next poll."""
        ...

    def forget(self, before: datetime, limit: int) -> int:
        """Delete `limit` pieces at most of the queues' own record of work that ended before that time (UTC); returns
        how many. What is queued or under way stays."""
        ...


class Backends(Protocol):
    """Where targets' states are, and the proof of it."""

    def backend(self, target: Target, policy: Policy, declared: str, credential: tuple[str, str]) -> Backend:
        """What `init` of this target gets. `declared` is what the repository's backend block says (empty: none);
        `credential` is the user and password of the run for the built-in backend. Raises UserError where the
        repository's backend contradicts the policy's."""
        ...

    def prove(self, expected: Backend, found: Initialised) -> None:
        """Raises UserError naming the field where what `init` left is not the target's."""
        ...

    def restore(self, kept: Mapping[str, Any]) -> Backend:
        """The backend as a plan kept it (`kind`, `config`), without credentials for Terraform."""
        ...

    def current(self, target: Target, backend: Backend) -> bytes | None:
        """The state as the backend has it now; None where there is none."""
        ...

    def place(self, target: Target, backend: Backend, author: Author | None = None) -> StatePlace:
        """Where that state is, to read, lock and write it. `author`: for whom it is written."""
        ...


Secrets = Callable[[str], Mapping[str, str]]
"""prefix → variables with the prefix taken off: the only secrets that a target's Terraform sees."""
