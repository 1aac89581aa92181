"""Store workers and their heartbeats."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from bot.storage.rows import Rows
from bot.storage.tables import workers


class WorkerRows(Rows):
    """Implements bot.domain.ports.store.Workers."""

    def seen(self, name: str, now: datetime) -> None:
        self.replace(workers, {"name": name, "seen_at": now})

    def silent(self, since: datetime) -> list[str]:
        query = select(workers.c.name).where(workers.c.seen_at <= since).order_by(workers.c.name)
        return list(self.connection.execute(query).scalars())

    def living(self, since: datetime) -> int:
        query = select(func.count()).select_from(workers).where(workers.c.seen_at > since)
        return int(self.connection.execute(query).scalar_one())

    def forget(self, name: str) -> None:
        self.connection.execute(workers.delete().where(workers.c.name == name))
