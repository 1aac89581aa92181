"""One live process per worker name: an exclusive lock held for life, before any durable work is taken."""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from bot.errors import UserError

MOST = 32
"""Names tried on one machine (`host`, `host-2`, …)."""


class Life(Protocol):
    """A held lock. It ends with the process, however that ends."""

    def keep(self) -> None:
        """See that it is still held, and take it again where the database let go of it. Raises SQLAlchemy's errors."""

    def release(self) -> None: ...


class FileLife:
    """flock on a file of the data directory: for SQLite, where every process is on this machine."""

    def __init__(self, directory: Path, name: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._handle = (directory / f"worker-{name}.lock").open("a+")

    def take(self) -> bool:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._handle.close()
            return False
        self._handle.truncate(0)
        self._handle.write(str(os.getpid()))
        self._handle.flush()
        return True

    def keep(self) -> None:
        """flock holds as long as the process lives."""

    def release(self) -> None:
        self._handle.close()


class AdvisoryLife:
    """A session's advisory lock on Postgres, on a connection of its own."""

    def __init__(self, engine: sa.Engine, name: str) -> None:
        self._engine = engine
        self._connection = self._connect()
        self._key = key_of(name)

    def _connect(self) -> sa.Connection:
        return self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    def take(self) -> bool:
        if self._connection.scalar(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key}):
            return True
        self.release()
        return False

    def keep(self) -> None:
        """A session that ended (the server was started again) has lost its lock: take it in a new one."""
        try:
            self._connection.execute(sa.text("SELECT 1"))
        except sa.exc.DBAPIError:
            self._connection.close()
            self._connection = self._connect()
            self._connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": self._key})

    def release(self) -> None:
        """End the session too: the pool would keep it, and the lock with it."""
        if not self._connection.closed:
            self._connection.invalidate()
            self._connection.close()


def key_of(name: str) -> int:
    """The advisory lock's key: 63 bits of the name's digest."""
    return int.from_bytes(hashlib.sha256(f"towpath:worker:{name}".encode()).digest()[:8], "big") >> 1


def take(engine: sa.Engine, directory: Path, name: str) -> Life | None:
    """The lock of exactly this name; None where a living process has it."""
    life = FileLife(directory, name) if engine.dialect.name == "sqlite" else AdvisoryLife(engine, name)
    return life if life.take() else None


def claim(engine: sa.Engine, directory: Path, wanted: str) -> tuple[str, Life]:
    """The first free one of `wanted`, `wanted-2`, …, and its lock. Raises UserError when all are taken."""
    for number in range(1, MOST + 1):
        name = wanted if number == 1 else f"{wanted}-{number}"
        if life := take(engine, directory, name):
            return name, life
    raise UserError(
        f"{MOST} workers called {wanted} are running already.", next_step="Set TOWPATH_WORKER_NAME."
    )
