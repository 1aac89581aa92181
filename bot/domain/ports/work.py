"""Ports for durable work, and for the backends of targets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from bot.domain.exports import Export
from bot.domain.policy import Policy
from bot.domain.ports.state import Author, StateLocation
from bot.domain.ports.store import Tables
from bot.domain.ports.terraform import Backend, InitResult
from bot.domain.run import Run
from bot.domain.target import Target


class Work(Protocol):
    """Queues of runs. Work is enqueued within a transaction, and so only if that commits."""

    def enqueue(self, run: Run, tables: Tables) -> None:
        """Enqueue a queued run: plans partitioned by target and pull request, applies by target.

        It cannot be taken off the queue again; a run that has ended before its turn (cancelled, superseded) is skipped.
        """
        ...

    def enqueue_export(self, export: Export, tables: Tables) -> None:
        """Enqueue an export, or what is left of it once it is approved: one at a time for each environment."""
        ...

    def enqueue_replans(self, applied: Run, tables: Tables) -> None:
        """Enqueue the new plans of what depends on the outputs of an apply, which are requested once it has ended."""
        ...

    def forget(self, before: datetime, limit: int) -> int:
        """Delete at most `limit` of the queues' records of work that ended before that time (UTC); return how many."""
        ...


class Backends(Protocol):
    """Where targets' states are stored, and the proof that they are."""

    def backend(self, target: Target, policy: Policy, declared: str, credential: tuple[str, str]) -> Backend:
        """Return what `init` of this target gets.

        declared: the kind of the repository's own backend block, or "". credential: (user, password) of the run for the
        built-in backend. Raises UserError if the repository's backend contradicts the policy.
        """
        ...

    def prove(self, expected: Backend, found: InitResult) -> None:
        """Raise UserError, naming the setting, if `init` did not use the target's backend."""
        ...

    def restore(self, kept: Mapping[str, Any]) -> Backend:
        """Return the backend that a plan recorded (`kind`, `config`), without credentials for Terraform."""
        ...

    def current(self, target: Target, backend: Backend) -> bytes | None:
        """Return the backend's current state, None if there is none."""
        ...

    def location(self, target: Target, backend: Backend, author: Author | None = None) -> StateLocation:
        """Return where that state is stored, to read, lock and write it. author: recorded with what is written."""
        ...

    def instances(self, target: Target, policy: Policy) -> list[Target]:
        """Return the instances of an environment that have a state in the stack's own bucket; none on the built-in backend,
        whose states have records. target: the environment without an instance. Raises UserError and TransientError."""
        ...

    def discard(self, target: Target, backend: Backend) -> bool:
        """Delete a state from its bucket if it has no resources and nobody has locked it; return whether there is none now.
        One on the built-in backend is left to its own tables. Raises UserError and TransientError."""
        ...
