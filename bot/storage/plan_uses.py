"""Store requests for plans, to limit them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, select

from bot.domain.plans import PlanUse
from bot.storage.columns import values
from bot.storage.rows import Rows, lock_number
from bot.storage.tables import plan_uses


class PlanUseRows(Rows):
    """Implements bot.domain.ports.records.PlanUses."""

    def add(self, use: PlanUse) -> bool:
        """Locked, so that two requests at once count each other."""
        names = {f"plans:{use.repository}#{use.pull}", f"plans:@{use.login}"} - {"plans:@"}
        self.lock_names(sorted(names, key=lock_number))
        return self.upsert(plan_uses, values(plan_uses, use))

    def by(self, login: str, limit: int) -> list[datetime]:
        return self._times(plan_uses.c.login == login, limit)

    def of_pull(self, repository: str, pull: int, limit: int) -> list[datetime]:
        return self._times(and_(plan_uses.c.repository == repository, plan_uses.c.pull == pull), limit)

    def forget(self, before: datetime, limit: int) -> int:
        old = select(plan_uses.c.id).where(plan_uses.c.at < before).limit(limit)
        return self.count(plan_uses.delete().where(plan_uses.c.id.in_(old)))

    def _times(self, which: ColumnElement[bool], limit: int) -> list[datetime]:
        newest = select(plan_uses.c.at).where(which).order_by(plan_uses.c.at.desc()).limit(limit)
        return list(self.connection.scalars(newest))
