"""Store states that Terraform could not upload, encrypted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select

from bot.domain.states import Unsaved
from bot.domain.target import Target
from bot.storage.columns import values
from bot.storage.rows import Rows, context
from bot.storage.tables import unsaved


class UnsavedRows(Rows):
    """Implements bot.domain.ports.state.UnsavedStates."""

    def keep(self, state: Unsaved, data: bytes) -> None:
        sealed = self.vault.seal(data, context(unsaved, state.id))
        self.upsert(unsaved, values(unsaved, state) | {"file": sealed})

    def open(self, targets: Iterable[Target]) -> list[Unsaved]:
        query = select(unsaved).where(unsaved.c.target.in_(list(targets)), unsaved.c.ended_at.is_(None))
        return self.many(Unsaved, query.order_by(unsaved.c.seq.desc()))

    def data(self, state_id: str) -> bytes:
        """Raises KeyError if there is none, SealError (a ValueError) if it cannot be decrypted."""
        row = self.first(select(unsaved.c.file).where(unsaved.c.id == state_id))
        if row is None:
            raise KeyError(state_id)
        return self.vault.open(row.file, context(unsaved, state_id))

    def left(self) -> list[Unsaved]:
        query = select(unsaved).where(unsaved.c.ending != "pushed")
        return self.many(Unsaved, query.order_by(unsaved.c.seq.desc()))

    def kept_since(self, before: datetime) -> list[Unsaved]:
        old = func.coalesce(unsaved.c.ended_at, unsaved.c.created_at) < before
        query = select(unsaved).where(unsaved.c.ending != "pushed", old)
        return self.many(Unsaved, query.order_by(unsaved.c.seq))

    def drop(self, state_id: str) -> bool:
        return self.count(unsaved.delete().where(unsaved.c.id == state_id)) == 1

    def forget(self, before: datetime, limit: int) -> int:
        old = select(unsaved.c.id).where(unsaved.c.ending == "pushed", unsaved.c.ended_at < before)
        return self.count(unsaved.delete().where(unsaved.c.id.in_(old.limit(limit))))

    def end(self, state_id: str, ending: str, now: datetime) -> bool:
        open_one = unsaved.update().where(unsaved.c.id == state_id, unsaved.c.ended_at.is_(None))
        return self.count(open_one.values(ended_at=now, ending=ending)) == 1
