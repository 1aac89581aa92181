"""Drifts: what looks at deployed environments found."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from bot.domain.drift import Drift
from bot.domain.target import Target
from bot.storage.columns import values
from bot.storage.rows import Rows
from bot.storage.tables import drifts


class DriftRows(Rows):
    def add(self, drift: Drift) -> None:
        """Nothing happens where it is there already."""
        self.put(drifts, values(drifts, drift))

    def get(self, drift_id: str) -> Drift | None:
        return self.one(Drift, select(drifts).where(drifts.c.id == drift_id))

    def of_target(self, target: Target, limit: int) -> list[Drift]:
        """Newest first."""
        query = select(drifts).where(drifts.c.target == target)
        return self.many(Drift, query.order_by(drifts.c.seq.desc()).limit(limit))

    def newest(self, target: Target) -> Drift | None:
        return next(iter(self.of_target(target, 1)), None)

    def newest_of(self, targets: Iterable[Target]) -> dict[Target, Drift]:
        """The newest of each of the targets that has one."""
        return self.latest(Drift, drifts, targets)
