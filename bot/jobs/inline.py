"""Work in one process that carries out what it queued and ends, as in a workflow: the port `Work` without a queue."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

import structlog
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential

from bot.domain.exports import Export
from bot.domain.ports.store import Tables
from bot.domain.run import Run
from bot.errors import UserError, reference
from bot.jobs.durable import may_pass
from bot.services.applies import end_failed_run, execute_apply
from bot.services.context import Context
from bot.services.plans import execute_plan

log = structlog.get_logger()

PATIENCE = 300.0
"""Seconds that something outside may be unavailable before a run fails: somebody waits for the job."""


class InlineWork:
    """Runs that `carry_out` executes one after the other. What a transaction queued that did not commit has no row, and is
    skipped."""

    def __init__(self, around: Callable[[Run], AbstractContextManager[None]]) -> None:
        """around: entered while a run is carried out."""
        self._queue: deque[Run] = deque()
        self._around = around

    def enqueue(self, run: Run, tables: Tables) -> None:  # noqa: ARG002 - the port's
        self._queue.append(run)

    def enqueue_export(self, export: Export, tables: Tables) -> None:
        """Nothing: exports run where the bot runs."""

    def enqueue_replans(self, applied: Run, tables: Tables) -> None:
        """Nothing: the workflows of other pull requests plan those again, and a gate refuses outdated plans."""

    def forget(self, before: datetime, limit: int) -> int:  # noqa: ARG002 - the port's
        return 0

    def carry_out(self, context: Context) -> None:
        """Execute what is queued, and what that queues. A run whose work fails ends with the reason."""
        while self._queue:
            run = self._queue.popleft()
            with self._around(run):
                _carry_out(context, run)


def _carry_out(context: Context, run: Run) -> None:
    execute = execute_plan if run.kind == "plan" else execute_apply
    try:
        _patient()(execute, context, run.id)
    except Exception as error:  # the last resort: a run must end, and say so
        ticket = "" if isinstance(error, UserError) else reference()
        if ticket:
            log.exception("work failed", run=run.id, reference=ticket)
        end_failed_run(context, run.id, error, ticket)


def _patient() -> Callable[..., None]:
    return Retrying(
        retry=retry_if_exception(may_pass),
        wait=wait_exponential(multiplier=1.0, max=30.0),
        stop=stop_after_delay(PATIENCE),
        reraise=True,
    )
