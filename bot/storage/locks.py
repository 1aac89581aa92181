"""Locks, and who waits for them."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import and_, select, text

from bot.domain.lock import Lock, Waiter
from bot.domain.target import Target
from bot.storage.columns import values
from bot.storage.rows import Rows
from bot.storage.tables import locks, waiters

_ALONE = text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key")


class LockRows(Rows):
    def alone(self, *targets: Target) -> None:
        """One transaction at a time for a target; on SQLite only one writes anyway."""
        if self.connection.dialect.name != "sqlite":
            self.connection.execute(_ALONE, {"keys": [_key(target) for target in sorted(targets)]})

    def get(self, target: Target) -> Lock | None:
        """The lock, expired or not (the caller knows the time)."""
        return self.one(Lock, select(locks).where(locks.c.target == target))

    def take(self, lock: Lock, now: datetime) -> Lock:
        """Insert, or replace an expired one; returns the lock that is there afterwards (ours or another's)."""
        row = values(locks, lock)
        while True:
            self.put(locks, row, change=row, where=locks.c.expires_at <= now)
            if there := self.get(lock.target):
                return there
            # Somebody released it between the two statements (on Postgres): it is free, so take it.

    def release(self, target: Target) -> bool:
        return self.count(locks.delete().where(locks.c.target == target)) == 1

    def of_pull(self, repository: str, pull: int) -> list[Lock]:
        query = select(locks).where(locks.c.repository == repository, locks.c.pull == pull)
        return self.many(Lock, query.order_by(locks.c.target))

    def all(self, repository: str = "") -> list[Lock]:
        query = select(locks).order_by(locks.c.target)
        return self.many(Lock, query.where(locks.c.repository == repository) if repository else query)

    def wait(self, waiter: Waiter) -> None:
        """Who waits already keeps their place."""
        self.put(waiters, values(waiters, waiter))

    def waiters(self, target: Target) -> list[Waiter]:
        """Who has waited longest first."""
        query = select(waiters).where(waiters.c.target == target)
        return self.many(Waiter, query.order_by(waiters.c.since, waiters.c.pull))

    def waiting(self) -> list[Target]:
        """Targets that somebody waits for."""
        return list(self.connection.scalars(select(waiters.c.target).distinct()))

    def forget_waiters(self, *, target: Target | None = None, repository: str = "", pull: int = 0) -> None:
        """Those of a target, of a pull request, or of one at the other. Raises ValueError where nothing is named."""
        which = []
        if target is not None:
            which.append(waiters.c.target == target)
        if repository:
            which.append(waiters.c.repository == repository)
        if pull:
            which.append(waiters.c.pull == pull)
        if target is None and not repository:
            raise ValueError("whose waiters? a target or a repository is needed")
        self.connection.execute(waiters.delete().where(and_(*which)))


def _key(target: Target) -> int:
    """Postgres names an advisory lock by a number."""
    return int.from_bytes(hashlib.sha256(f"towpath:target:{target.key}".encode()).digest()[:8], "big") >> 1
