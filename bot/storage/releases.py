"""Store releases."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from bot.domain.release import Release
from bot.domain.target import Target
from bot.storage.columns import values
from bot.storage.rows import Rows
from bot.storage.tables import releases


class ReleaseRows(Rows):
    """Implements bot.domain.ports.store.Releases."""

    def add(self, release: Release) -> None:
        """Raises SQLAlchemy's IntegrityError if the id exists."""
        self.insert(releases, values(releases, release))

    def of_target(self, target: Target, limit: int) -> list[Release]:
        query = select(releases).where(releases.c.target == target)
        return self.many(Release, query.order_by(releases.c.seq.desc()).limit(limit))

    def newest(self, target: Target) -> Release | None:
        query = select(releases).where(releases.c.target == target)
        return self.one(Release, query.order_by(releases.c.seq.desc()))

    def get(self, release_id: str) -> Release | None:
        return self.one(Release, select(releases).where(releases.c.id == release_id))

    def of_run(self, run_id: str) -> Release | None:
        return self.one(Release, select(releases).where(releases.c.run_id == run_id))

    def update(self, release_id: str, **changes: Any) -> None:
        if self.count(releases.update().where(releases.c.id == release_id).values(changes)) != 1:
            raise KeyError(release_id)

    def deactivate(self, target: Target) -> None:
        active = releases.update().where(releases.c.target == target, releases.c.active)
        self.connection.execute(active.values(active=False))

    def newest_of(self, targets: Iterable[Target]) -> dict[Target, Release]:
        return self.newest_by_target(Release, releases, targets)
