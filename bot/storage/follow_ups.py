"""Store the follow-ups of break-glass applies until somebody else acknowledges them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from bot.domain.ports.records import FollowUp
from bot.domain.target import Target
from bot.storage.columns import values
from bot.storage.rows import Rows
from bot.storage.tables import follow_ups


class FollowUpRows(Rows):
    """Implements bot.domain.ports.records.FollowUps."""

    def add(self, one: FollowUp) -> None:
        self.upsert(follow_ups, values(follow_ups, one))

    def get(self, follow_up_id: str) -> FollowUp | None:
        return self.one(FollowUp, select(follow_ups).where(follow_ups.c.id == follow_up_id))

    def open(self, repository: str = "", target: Target | None = None) -> list[FollowUp]:
        query = select(follow_ups).where(follow_ups.c.acknowledged_at.is_(None))
        if repository:
            query = query.where(follow_ups.c.repository == repository)
        if target is not None:
            query = query.where(follow_ups.c.target == target)
        return self.many(FollowUp, query.order_by(follow_ups.c.seq))

    def acknowledge(self, follow_up_id: str, login: str, now: datetime) -> bool:
        open_one = follow_ups.update().where(
            follow_ups.c.id == follow_up_id, follow_ups.c.acknowledged_at.is_(None)
        )
        return self.count(open_one.values(acknowledged_by=login, acknowledged_at=now)) == 1
