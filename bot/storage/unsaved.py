"""States that could not be uploaded, sealed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select

from bot.domain.target import Target
from bot.domain.unsaved import Unsaved
from bot.storage.columns import values
from bot.storage.rows import Rows, context
from bot.storage.tables import unsaved


class UnsavedRows(Rows):
    def keep(self, state: Unsaved, data: bytes) -> None:
        """Keep it once: done again it changes nothing."""
        sealed = self.vault.seal(data, context(unsaved, state.id))
        self.put(unsaved, values(unsaved, state) | {"file": sealed})

    def open(self, targets: Iterable[Target]) -> list[Unsaved]:
        """Those of the targets that somebody has still to push, the newest first."""
        query = select(unsaved).where(unsaved.c.target.in_(list(targets)), unsaved.c.ended_at.is_(None))
        return self.many(Unsaved, query.order_by(unsaved.c.seq.desc()))

    def data(self, state_id: str) -> bytes:
        """Raises KeyError where there is none, SealError (a ValueError) where it does not decrypt."""
        row = self.first(select(unsaved.c.file).where(unsaved.c.id == state_id))
        if row is None:
            raise KeyError(state_id)
        return self.vault.open(row.file, context(unsaved, state_id))

    def left(self) -> list[Unsaved]:
        """Those that nobody pushed, also where they were overtaken, the newest first."""
        query = select(unsaved).where(unsaved.c.ending != "pushed")
        return self.many(Unsaved, query.order_by(unsaved.c.seq.desc()))

    def kept_since(self, before: datetime) -> list[Unsaved]:
        """Those that nobody pushed, and that were kept, or overtaken, before that time; oldest first."""
        over = func.coalesce(unsaved.c.ended_at, unsaved.c.created_at) < before
        return self.many(
            Unsaved, select(unsaved).where(unsaved.c.ending != "pushed", over).order_by(unsaved.c.seq)
        )

    def drop(self, state_id: str) -> bool:
        """Delete it with its content; False where that was done before."""
        return self.count(unsaved.delete().where(unsaved.c.id == state_id)) == 1

    def forget(self, before: datetime, limit: int) -> int:
        """Delete `limit` at most that were pushed before that time; returns how many."""
        old = select(unsaved.c.id).where(unsaved.c.ending == "pushed", unsaved.c.ended_at < before)
        return self.count(unsaved.delete().where(unsaved.c.id.in_(old.limit(limit))))

    def end(self, state_id: str, ending: str, now: datetime) -> bool:
        """There is nothing to push any more; False where that was so before. Its content stays."""
        mine = unsaved.update().where(unsaved.c.id == state_id, unsaved.c.ended_at.is_(None))
        return self.count(mine.values(ended_at=now, ending=ending)) == 1
