"""Store approvals and the decisions on them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Text, and_, cast, or_, select

from bot.domain.approvals import LIVE, Approval, ApprovalStatus, Decision
from bot.domain.target import Target
from bot.storage.columns import values
from bot.storage.rows import Rows
from bot.storage.tables import approvals, decisions


class ApprovalRows(Rows):
    """Implements bot.domain.ports.records.Approvals."""

    def add(self, approval: Approval) -> None:
        """Raises SQLAlchemy's IntegrityError if the id exists."""
        self.insert(approvals, values(approvals, approval))

    def get(self, approval_id: str) -> Approval | None:
        return self.one(Approval, select(approvals).where(approvals.c.id == approval_id))

    def live(self, target: Target, pull: int) -> Approval | None:
        return self.one(Approval, _newest_first(target, pull).where(approvals.c.status.in_(LIVE)))

    def newest(self, target: Target, pull: int) -> Approval | None:
        return self.one(Approval, _newest_first(target, pull))

    def newest_of(self, targets: Iterable[Target], pull: int) -> dict[Target, Approval]:
        return self.newest_by_target(Approval, approvals, targets, approvals.c.pull == pull)

    def all_live(self) -> list[Approval]:
        query = select(approvals).where(approvals.c.status.in_(LIVE))
        return self.many(Approval, query.order_by(approvals.c.seq))

    def of_pull(self, repository: str, pull: int) -> list[Approval]:
        query = select(approvals).where(approvals.c.repository == repository, approvals.c.pull == pull)
        return self.many(Approval, query.order_by(approvals.c.seq.desc()))

    def end(self, approval_id: str, status: ApprovalStatus, why: str, now: datetime) -> bool:
        """Raises ValueError for a status that is still live."""
        if status in LIVE:
            raise ValueError(f"{status} does not end an approval")
        return self._update_live(approval_id, {"status": status, "why": why, "ended_at": now}) == 1

    def update(self, approval_id: str, **changes: Any) -> None:
        if changes:
            self._update_live(approval_id, changes)

    def decide(self, decision: Decision) -> bool:
        """A changed decision keeps its position: a dismissed review must not come after its author's later answer."""
        row = values(decisions, decision)
        differs = or_(
            *(decisions.c[name] != value for name, value in row.items() if name != "groups"),
            cast(decisions.c.groups, Text) != json.dumps(decision.groups),  # Postgres cannot compare JSON
        )
        return self.upsert(decisions, row, change=row, where=differs)

    def decisions(self, approval_id: str) -> list[Decision]:
        query = select(decisions).where(decisions.c.approval_id == approval_id)
        return self.many(Decision, query.order_by(decisions.c.seq))

    def _update_live(self, approval_id: str, row: dict[str, Any]) -> int:
        live = and_(approvals.c.id == approval_id, approvals.c.status.in_(LIVE))
        return self.count(approvals.update().where(live).values(row))


def _newest_first(target: Target, pull: int) -> Select[Any]:
    query = select(approvals).where(approvals.c.target == target, approvals.c.pull == pull)
    return query.order_by(approvals.c.seq.desc())
