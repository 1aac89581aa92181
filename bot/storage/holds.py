"""Store holds: environments pinned to a release after a revert."""

from __future__ import annotations

from sqlalchemy import select

from bot.domain.hold import Hold
from bot.domain.target import Target
from bot.storage.columns import values
from bot.storage.rows import Rows
from bot.storage.tables import holds


class HoldRows(Rows):
    """Implements bot.domain.ports.records.Holds."""

    def get(self, target: Target) -> Hold | None:
        return self.one(Hold, select(holds).where(holds.c.target == target))

    def pin(self, hold: Hold) -> None:
        self.replace(holds, values(holds, hold))

    def lift(self, target: Target) -> bool:
        return self.count(holds.delete().where(holds.c.target == target)) == 1

    def of_repository(self, repository: str) -> list[Hold]:
        return self.many(Hold, select(holds).where(holds.c.repository == repository).order_by(holds.c.target))
