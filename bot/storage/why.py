"""Store how runs failed, and find the runs that did."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import and_, or_, select

from bot.domain.run import Run
from bot.domain.why import Diagnostic, Failure, Reason
from bot.storage.columns import read
from bot.storage.rows import Rows, context
from bot.storage.tables import failures, releases, runs

OUTCOMES = ("failed", "refused", "interrupted", "timed_out", "cancelled")
SUCCEEDED = ("planned", "applied", "checked")
RECENT = 200
"""Failed runs that are looked through for those of one environment."""


class FailureRows(Rows):
    """Implements bot.domain.ports.why.Failures."""

    def add(self, failure: Failure) -> None:
        content = json.dumps({"phase": failure.phase, "reason": asdict(failure.reason)}).encode()
        row = {"run_id": failure.run_id, "recorded_at": failure.recorded_at}
        self.upsert(failures, row | {"content": self.vault.seal(content, context(failures, failure.run_id))})

    def get(self, run_id: str) -> Failure | None:
        row = self.first(select(failures).where(failures.c.run_id == run_id))
        if row is None:
            return None
        content = json.loads(self.vault.open(row.content, context(failures, run_id)))
        reason = content["reason"]
        diagnostics = tuple(read(Diagnostic, one) for one in reason["diagnostics"])
        return Failure(
            run_id,
            content["phase"],
            row.recorded_at,
            Reason(reason["code"], reason["exit_code"], diagnostics),
        )

    def newest_run(self, repository: str, *, pull: int | None = None, environment: str = "") -> Run | None:
        unverified = (
            select(1).where(releases.c.run_id == runs.c.id, releases.c.verification == "failed").exists()
        )
        failed = or_(runs.c.outcome.in_(OUTCOMES), and_(runs.c.outcome == "applied", unverified))
        query = select(runs).where(runs.c.repository == repository, runs.c.phase == "finished", failed)
        if pull is not None:
            query = query.where(runs.c.pull == pull)
        query = query.order_by(runs.c.seq.desc())
        if not environment:
            return self.one(Run, query)
        recent = self.many(Run, query.limit(RECENT))
        return next((run for run in recent if run.target.environment == environment), None)

    def runs_starting(self, repository: str, prefix: str, limit: int) -> list[Run]:
        query = select(runs).where(
            runs.c.repository == repository, runs.c.id.startswith(prefix, autoescape=True)
        )
        return self.many(Run, query.order_by(runs.c.seq.desc()).limit(limit))

    def later_success(self, run: Run) -> Run | None:
        seq = select(runs.c.seq).where(runs.c.id == run.id).scalar_subquery()
        same = runs.c.target == run.target, runs.c.kind == run.kind, runs.c.pull == run.pull
        query = select(runs).where(*same, runs.c.seq > seq, runs.c.outcome.in_(SUCCEEDED))
        return self.one(Run, query.order_by(runs.c.seq.desc()))

    def forget(self, before: datetime, limit: int) -> int:
        old = select(failures.c.run_id).where(failures.c.recorded_at < before).limit(limit)
        return self.count(failures.delete().where(failures.c.run_id.in_(old)))
