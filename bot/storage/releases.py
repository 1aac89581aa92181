"""Releases: what successful applies left."""

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
    def add(self, release: Release) -> None:
        """Raises SQLAlchemy's IntegrityError where the id is taken."""
        self.insert(releases, values(releases, release))

    def of_target(self, target: Target, limit: int) -> list[Release]:
        """Newest first."""
        query = select(releases).where(releases.c.target == target)
        return self.many(Release, query.order_by(releases.c.seq.desc()).limit(limit))

    def newest(self, target: Target) -> Release | None:
        query = select(releases).where(releases.c.target == target)
        return self.one(Release, query.order_by(releases.c.seq.desc()))

    def get(self, release_id: str) -> Release | None:
        return self.one(Release, select(releases).where(releases.c.id == release_id))

    def update(self, release_id: str, **changes: Any) -> None:
        """Change fields of Release by name. Raises KeyError where there is none."""
        if self.count(releases.update().where(releases.c.id == release_id).values(changes)) != 1:
            raise KeyError(release_id)

    def deactivate(self, target: Target) -> None:
        """None of the target's is what stands there, until another is added."""
        active = releases.update().where(releases.c.target == target, releases.c.active)
        self.connection.execute(active.values(active=False))

    def newest_of(self, targets: Iterable[Target]) -> dict[Target, Release]:
        """The newest of each of the targets that has one."""
        return self.latest(Release, releases, targets)
