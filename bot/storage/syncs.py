"""Store syncs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select

from bot.domain.sync import Sync, SyncStatus
from bot.domain.target import Target
from bot.storage.columns import values
from bot.storage.rows import Rows
from bot.storage.tables import syncs


class SyncRows(Rows):
    """Implements bot.domain.ports.records.Syncs."""

    def add(self, sync: Sync) -> bool:
        return self.upsert(syncs, values(syncs, sync))

    def get(self, sync_id: str) -> Sync | None:
        return self.one(Sync, select(syncs).where(syncs.c.id == sync_id))

    def update(self, sync_id: str, **changes: Any) -> None:
        self.connection.execute(syncs.update().where(syncs.c.id == sync_id).values(changes))

    def move(self, sync_id: str, source: Sequence[SyncStatus], status: SyncStatus, **changes: Any) -> bool:
        matching = syncs.update().where(syncs.c.id == sync_id, syncs.c.status.in_(source))
        return self.count(matching.values(status=status, **changes)) == 1

    def newest(self, target: Target) -> Sync | None:
        return next(iter(self.of_target(target, 1)), None)

    def newest_of(self, targets: Iterable[Target]) -> dict[Target, Sync]:
        return self.newest_by_target(Sync, syncs, targets)

    def of_target(self, target: Target, limit: int) -> list[Sync]:
        query = select(syncs).where(syncs.c.target == target)
        return self.many(Sync, query.order_by(syncs.c.seq.desc()).limit(limit))

    def of_pull(self, targets: Iterable[Target], pull: int, limit: int) -> dict[Target, Sync]:
        wanted = list(targets)
        query = select(syncs).where(syncs.c.target.in_(wanted)).order_by(syncs.c.seq.desc())
        newest = self.many(Sync, query.limit(limit * len(wanted)))
        return {sync.target: sync for sync in reversed(newest) if pull in sync.pulls}

    def in_status(self, *statuses: SyncStatus) -> list[Sync]:
        return self.many(Sync, select(syncs).where(syncs.c.status.in_(statuses)).order_by(syncs.c.seq))
