"""Approvals: requests for consent, and what each person answered."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Text, and_, cast, or_, select

from bot.domain.approval import LIVE, Approval, ApprovalStatus, Decision
from bot.domain.target import Target
from bot.storage.columns import values
from bot.storage.rows import Rows
from bot.storage.tables import approvals, decisions


class ApprovalRows(Rows):
    def add(self, approval: Approval) -> None:
        """Raises SQLAlchemy's IntegrityError where the id is taken."""
        self.insert(approvals, values(approvals, approval))

    def get(self, approval_id: str) -> Approval | None:
        return self.one(Approval, select(approvals).where(approvals.c.id == approval_id))

    def live(self, target: Target, pull: int) -> Approval | None:
        return self.one(Approval, _of(target, pull).where(approvals.c.status.in_(LIVE)))

    def newest(self, target: Target, pull: int) -> Approval | None:
        return self.one(Approval, _of(target, pull))

    def newest_of(self, targets: Iterable[Target], pull: int) -> dict[Target, Approval]:
        """The newest of a pull request for each of the targets that has one."""
        return self.latest(Approval, approvals, targets, approvals.c.pull == pull)

    def all_live(self) -> list[Approval]:
        """Oldest first."""
        query = select(approvals).where(approvals.c.status.in_(LIVE))
        return self.many(Approval, query.order_by(approvals.c.seq))

    def of_pull(self, repository: str, pull: int) -> list[Approval]:
        """Newest first."""
        query = select(approvals).where(approvals.c.repository == repository, approvals.c.pull == pull)
        return self.many(Approval, query.order_by(approvals.c.seq.desc()))

    def end(self, approval_id: str, status: ApprovalStatus, why: str, now: datetime) -> bool:
        """Compare and set: a live one ends once, whoever asks. Raises ValueError for a status that is no end."""
        if status in LIVE:
            raise ValueError(f"{status} is no end")
        return self._change(approval_id, {"status": status, "why": why, "ended_at": now}) == 1

    def update(self, approval_id: str, **changes: Any) -> None:
        """Change fields of a live one by name; one that has ended stays as it ended."""
        if changes:
            self._change(approval_id, changes)

    def decide(self, decision: Decision) -> bool:
        """Keep it; False where the very same is there. Whatever else is under its id is replaced in its place: a review
        that was dismissed must not come after its author's later words."""
        row = values(decisions, decision)
        other = or_(
            *(decisions.c[name] != value for name, value in row.items() if name != "groups"),
            cast(decisions.c.groups, Text) != json.dumps(decision.groups),  # Postgres compares no JSON
        )
        return self.put(decisions, row, change=row, where=other)

    def decisions(self, approval_id: str) -> list[Decision]:
        """In the order of their coming in."""
        query = select(decisions).where(decisions.c.approval_id == approval_id)
        return self.many(Decision, query.order_by(decisions.c.seq))

    def _change(self, approval_id: str, row: dict[str, Any]) -> int:
        live = and_(approvals.c.id == approval_id, approvals.c.status.in_(LIVE))
        return self.count(approvals.update().where(live).values(row))


def _of(target: Target, pull: int) -> Select[Any]:
    """Newest first."""
    mine = and_(approvals.c.target == target, approvals.c.pull == pull)
    return select(approvals).where(mine).order_by(approvals.c.seq.desc())
