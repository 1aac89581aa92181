"""States that could not be uploaded, sealed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select

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

    def end(self, state_id: str, ending: str, now: datetime) -> bool:
        """There is nothing to push any more; False where that was so before. Its content stays."""
        mine = unsaved.update().where(unsaved.c.id == state_id, unsaved.c.ended_at.is_(None))
        return self.count(mine.values(ended_at=now, ending=ending)) == 1
