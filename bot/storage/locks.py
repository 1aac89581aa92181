"""Store locks of targets, and the pull requests that wait for them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, select

from bot.domain.lock import Lock, Waiter
from bot.domain.target import Target
from bot.storage.columns import values
from bot.storage.rows import Rows
from bot.storage.tables import locks, waiters


class LockRows(Rows):
    """Implements bot.domain.ports.store.Locks."""

    def lock_targets(self, *targets: Target) -> None:
        self.lock_names(f"target:{target.key}" for target in sorted(targets))

    def get(self, target: Target) -> Lock | None:
        return self.one(Lock, select(locks).where(locks.c.target == target))

    def take(self, lock: Lock, now: datetime) -> Lock:
        row = values(locks, lock)
        while True:
            self.upsert(locks, row, change=row, where=locks.c.expires_at <= now)
            if present := self.get(lock.target):
                return present
            # On Postgres another lock may be released between the two statements: try again.

    def release(self, target: Target) -> bool:
        return self.count(locks.delete().where(locks.c.target == target)) == 1

    def of_pull(self, repository: str, pull: int) -> list[Lock]:
        query = select(locks).where(locks.c.repository == repository, locks.c.pull == pull)
        return self.many(Lock, query.order_by(locks.c.target))

    def all(self, repository: str = "") -> list[Lock]:
        query = select(locks).order_by(locks.c.target)
        return self.many(Lock, query.where(locks.c.repository == repository) if repository else query)

    def wait(self, waiter: Waiter) -> None:
        """A pull request that waits already keeps its place."""
        self.upsert(waiters, values(waiters, waiter))

    def waiters(self, target: Target) -> list[Waiter]:
        query = select(waiters).where(waiters.c.target == target)
        return self.many(Waiter, query.order_by(waiters.c.since, waiters.c.pull))

    def waiting(self) -> list[Target]:
        return list(self.connection.scalars(select(waiters.c.target).distinct()))

    def forget_waiters(self, *, target: Target | None = None, repository: str = "", pull: int = 0) -> None:
        """Raises ValueError if neither a target nor a repository is given."""
        conditions = []
        if target is not None:
            conditions.append(waiters.c.target == target)
        if repository:
            conditions.append(waiters.c.repository == repository)
        if pull:
            conditions.append(waiters.c.pull == pull)
        if target is None and not repository:
            raise ValueError("a target or a repository is needed")
        self.connection.execute(waiters.delete().where(and_(*conditions)))
