"""Runs, and the log that each leaves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from bot.domain.run import Kind, Run
from bot.domain.target import Target
from bot.storage.columns import values
from bot.storage.rows import Rows, context
from bot.storage.tables import logs, runs


class RunRows(Rows):
    def add(self, run: Run) -> None:
        """Raises SQLAlchemy's IntegrityError where the id is taken."""
        self.insert(runs, values(runs, run))

    def get(self, run_id: str) -> Run | None:
        return self.one(Run, select(runs).where(runs.c.id == run_id))

    def update(self, run_id: str, **changes: Any) -> Run:
        """Change fields of Run by name; returns the new row. Raises KeyError where there is none."""
        if changes:
            self.connection.execute(runs.update().where(runs.c.id == run_id).values(changes))
        run = self.get(run_id)
        if run is None:
            raise KeyError(run_id)
        return run

    def move(self, run_id: str, source: Sequence[str], phase: str, **changes: Any) -> bool:
        """Compare and set: to `phase` only if it is in one of `source`."""
        waiting = runs.update().where(runs.c.id == run_id, runs.c.phase.in_(source))
        return self.count(waiting.values(phase=phase, **changes)) == 1

    def active(
        self,
        *,
        target: Target | None = None,
        repository: str = "",
        pull: int | None = None,
        kind: Kind | None = None,
    ) -> list[Run]:
        """Unfinished ones, oldest first."""
        query = select(runs).where(runs.c.phase != "finished").order_by(runs.c.seq)
        if target is not None:
            query = query.where(runs.c.target == target)
        if repository:
            query = query.where(runs.c.repository == repository)
        if pull is not None:
            query = query.where(runs.c.pull == pull)
        if kind is not None:
            query = query.where(runs.c.kind == kind)
        return self.many(Run, query)

    def newest(self, target: Target, *, pull: int | None = None, kind: Kind | None = None) -> Run | None:
        query = select(runs).where(runs.c.target == target).order_by(runs.c.seq.desc())
        if pull is not None:
            query = query.where(runs.c.pull == pull)
        if kind is not None:
            query = query.where(runs.c.kind == kind)
        return self.one(Run, query)

    def recent(self, repository: str, limit: int) -> list[Run]:
        """Newest first."""
        query = select(runs).where(runs.c.repository == repository)
        return self.many(Run, query.order_by(runs.c.seq.desc()).limit(limit))

    def add_log(self, run_id: str, lines: Sequence[str]) -> None:
        """Append lines as one sealed chunk. Raises KeyError where there is no such run."""
        if not lines:
            return
        # The run's row is locked, so that two writers get two positions on Postgres too.
        if self.first(select(runs.c.id).where(runs.c.id == run_id).with_for_update()) is None:
            raise KeyError(run_id)
        last = select(func.coalesce(func.max(logs.c.end), 0)).where(logs.c.run_id == run_id)
        start = int(self.connection.execute(last).scalar_one())
        sealed = self.vault.seal(json.dumps(list(lines)).encode(), context(logs, run_id, start))
        row = {"run_id": run_id, "start": start, "end": start + len(lines), "lines": sealed}
        self.insert(logs, row)

    def log(self, run_id: str, after: int = 0) -> tuple[int, list[str]]:
        """Lines after a position (how many lines are known already), and the position to ask with next."""
        chunks = select(logs).where(logs.c.run_id == run_id, logs.c.end > after).order_by(logs.c.start)
        lines: list[str] = []
        for chunk in self.connection.execute(chunks):
            opened = json.loads(self.vault.open(chunk.lines, context(logs, run_id, chunk.start)))
            lines += opened[max(0, after - chunk.start) :]
        return after + len(lines), lines
