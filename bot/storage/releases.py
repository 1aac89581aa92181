"""Releases: what successful applies left."""

from __future__ import annotations

from sqlalchemy import select

from bot.domain.run import Release
from bot.domain.target import Target
from bot.storage.columns import values
from bot.storage.rows import Rows
from bot.storage.tables import releases


class ReleaseRows(Rows):
    def add(self, release: Release) -> None:
        """Raises SQLAlchemy's IntegrityError where the id is taken."""
        self.insert(releases, values(releases, release))

    def newest(self, target: Target) -> Release | None:
        query = select(releases).where(releases.c.target == target)
        return self.one(Release, query.order_by(releases.c.seq.desc()))
