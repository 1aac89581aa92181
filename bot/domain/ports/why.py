"""Port for the table of failures, and for finding the runs that failed."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.domain.run import Run
from bot.domain.why import Failure


class Failures(Protocol):
    def add(self, failure: Failure) -> None:
        """Store how a run failed, encrypted. A run has one failure: the first one stays."""
        ...

    def get(self, run_id: str) -> Failure | None: ...

    def newest_run(self, repository: str, *, pull: int | None = None, environment: str = "") -> Run | None:
        """Return the newest run that did not succeed: failed, refused, stopped, or applied with failed smoke checks.

        pull: only that pull request's; None for all. environment: only runs on it.
        """
        ...

    def runs_starting(self, repository: str, prefix: str, limit: int) -> list[Run]:
        """Return the repository's runs whose id starts with `prefix` (hexadecimal digits), newest first."""
        ...

    def later_success(self, run: Run) -> Run | None:
        """Return the newest run of the same kind, target and pull request that came later and succeeded."""
        ...

    def forget(self, before: datetime, limit: int) -> int:
        """Delete at most `limit` failures recorded before that time (UTC); return how many."""
        ...
