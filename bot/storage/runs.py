"""Store runs and their logs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, select

from bot.domain.run import CHANGING, SLEEPING, Kind, Run
from bot.domain.target import Target
from bot.storage.columns import values
from bot.storage.rows import Rows, context
from bot.storage.tables import drifts, logs, plans, runs

ASIDE: tuple[Kind, ...] = ("destroy", "drift", *SLEEPING)
"""Kinds that are not the newest of a pull request: drift checks belong to none, and the others are shown as what has become
of the instance, beside the result that people wait for."""


class RunRows(Rows):
    """Implements bot.domain.ports.store.Runs."""

    def add(self, run: Run) -> None:
        """Raises SQLAlchemy's IntegrityError if the id exists."""
        self.insert(runs, values(runs, run))

    def get(self, run_id: str) -> Run | None:
        return self.one(Run, select(runs).where(runs.c.id == run_id))

    def update(self, run_id: str, **changes: Any) -> Run:
        if changes:
            self.connection.execute(runs.update().where(runs.c.id == run_id).values(changes))
        run = self.get(run_id)
        if run is None:
            raise KeyError(run_id)
        return run

    def move(self, run_id: str, source: Sequence[str], phase: str, **changes: Any) -> bool:
        matching = runs.update().where(runs.c.id == run_id, runs.c.phase.in_(source))
        return self.count(matching.values(phase=phase, **changes)) == 1

    def active(
        self,
        *,
        target: Target | None = None,
        repository: str = "",
        pull: int | None = None,
        kind: Kind | None = None,
    ) -> list[Run]:
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

    def changing(self, target: Target) -> list[Run]:
        return [run for run in self.active(target=target) if run.kind in CHANGING]

    def applies(self, repository: str) -> dict[Target, Run]:
        active = [run for run in self.active(repository=repository) if run.kind in CHANGING]
        return {run.target: run for run in reversed(active)}  # so that the oldest one of a target stays

    def others(self, run: Run) -> int:
        same_pull = and_(runs.c.repository == run.target.repository, runs.c.pull == run.pull)
        query = select(func.count()).where(same_pull, runs.c.phase != "finished", runs.c.id != run.id)
        return int(self.connection.execute(query).scalar_one())

    def known(self, ids: Iterable[str]) -> dict[str, Run]:
        return {run.id: run for run in self.many(Run, select(runs).where(runs.c.id.in_(list(ids))))}

    def newest(self, target: Target, *, pull: int | None = None, kind: Kind | None = None) -> Run | None:
        query = select(runs).where(runs.c.target == target).order_by(runs.c.seq.desc())
        if pull is not None:
            query = query.where(runs.c.pull == pull)
        query = query.where(runs.c.kind == kind if kind is not None else runs.c.kind.not_in(ASIDE))
        return self.one(Run, query)

    def newest_of(self, targets: Iterable[Target], *, pull: int) -> dict[Target, Run]:
        return self.newest_by_target(Run, runs, targets, runs.c.pull == pull, runs.c.kind.not_in(ASIDE))

    def drift_checks_of(self, targets: Iterable[Target]) -> dict[Target, Run]:
        return self.newest_by_target(Run, runs, targets, runs.c.kind == "drift")

    def last_apply(self, target: Target) -> Run | None:
        return self.one(Run, _started_applies().where(runs.c.target == target))

    def last_apply_of(self, repository: str, pull: int) -> Run | None:
        return self.one(Run, _started_applies().where(runs.c.repository == repository, runs.c.pull == pull))

    def recent(self, repository: str, limit: int) -> list[Run]:
        query = select(runs).where(runs.c.repository == repository)
        return self.many(Run, query.order_by(runs.c.seq.desc()).limit(limit))

    def of_delivery(self, delivery: str, since: datetime) -> list[Run]:
        recent = self.many(Run, select(runs).where(runs.c.created_at >= since).order_by(runs.c.seq))
        return [run for run in recent if run.origin.delivery == delivery]

    def forget_logs(self, before: datetime, limit: int) -> int:
        ended = select(logs.c.run_id).join_from(logs, runs).where(runs.c.finished_at < before)
        old = list(self.connection.scalars(ended.distinct().limit(limit)).all())
        self.connection.execute(logs.delete().where(logs.c.run_id.in_(old)))
        return len(old)

    def forget_drift_checks(self, before: datetime, limit: int) -> int:
        newest = select(func.max(runs.c.seq)).where(runs.c.kind == "drift").group_by(runs.c.target)
        old = select(runs.c.id).where(
            runs.c.kind == "drift",
            runs.c.finished_at < before,
            runs.c.seq.not_in(newest),
            ~select(1).where(drifts.c.run_id == runs.c.id).exists(),
            ~select(1).where(logs.c.run_id == runs.c.id).exists(),
        )
        return self.count(runs.delete().where(runs.c.id.in_(old.limit(limit))))

    def add_log(self, run_id: str, lines: Sequence[str]) -> None:
        """Stores the lines as one sealed chunk. Raises KeyError if there is no such run."""
        if not lines:
            return
        # Lock the run's row, so that two writers get different positions on Postgres, too.
        if self.first(select(runs.c.id).where(runs.c.id == run_id).with_for_update()) is None:
            raise KeyError(run_id)
        last = select(func.coalesce(func.max(logs.c.end), 0)).where(logs.c.run_id == run_id)
        start = int(self.connection.execute(last).scalar_one())
        sealed = self.vault.seal(json.dumps(list(lines)).encode(), context(logs, run_id, start))
        row = {"run_id": run_id, "start": start, "end": start + len(lines), "lines": sealed}
        self.insert(logs, row)

    def log(self, run_id: str, after: int = 0) -> tuple[int, list[str]]:
        chunks = select(logs).where(logs.c.run_id == run_id, logs.c.end > after).order_by(logs.c.start)
        lines: list[str] = []
        for chunk in self.connection.execute(chunks):
            opened = json.loads(self.vault.open(chunk.lines, context(logs, run_id, chunk.start)))
            lines += opened[max(0, after - chunk.start) :]
        return after + len(lines), lines


def _started_applies() -> Select[Any]:
    """Return the applies whose Terraform has started, which shows in their plan's status. Newest first."""
    used = and_(plans.c.id == runs.c.plan_id, plans.c.status.in_(("applying", "applied", "failed")))
    return select(runs).join(plans, used).where(runs.c.kind == "apply").order_by(runs.c.seq.desc())
