"""One living process per worker name: an exclusive lock, taken before any durable work and held until the process ends."""

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


class WorkerLock(Protocol):
    """A held lock. It ends with the process, however that ends."""

    def keep(self) -> None:
        """Check that it is still held, and take it again if the database dropped it. Raises SQLAlchemy's errors."""

    def release(self) -> None: ...


class FileWorkerLock:
    """flock on a file in the data directory, for SQLite: all processes are on this machine."""

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
        """Nothing to do: flock holds as long as the process lives."""

    def release(self) -> None:
        self._handle.close()


class AdvisoryWorkerLock:
    """A session-level advisory lock on Postgres, on a connection of its own."""

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
        """Take the lock in a new session if the old one ended (the server restarted), since the lock went with it."""
        try:
            self._connection.execute(sa.text("SELECT 1"))
        except sa.exc.DBAPIError:
            self._connection.close()
            self._connection = self._connect()
            self._connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": self._key})

    def release(self) -> None:
        """Release the lock by ending its session; the pool would keep both."""
        if not self._connection.closed:
            self._connection.invalidate()
            self._connection.close()


def key_of(name: str) -> int:
    """Return the advisory lock's key: 63 bits of the name's digest."""
    return int.from_bytes(hashlib.sha256(f"towpath:worker:{name}".encode()).digest()[:8], "big") >> 1


def take_lock(engine: sa.Engine, directory: Path, name: str) -> WorkerLock | None:
    """Return the lock of exactly this name, or None while a living process holds it."""
    lock = (
        FileWorkerLock(directory, name)
        if engine.dialect.name == "sqlite"
        else AdvisoryWorkerLock(engine, name)
    )
    return lock if lock.take() else None


def claim_name(engine: sa.Engine, directory: Path, wanted: str) -> tuple[str, WorkerLock]:
    """Return the first free name of `wanted`, `wanted-2`, … and its lock. Raises UserError when MOST are taken."""
    for number in range(1, MOST + 1):
        name = wanted if number == 1 else f"{wanted}-{number}"
        if lock := take_lock(engine, directory, name):
            return name, lock
    raise UserError(
        f"{MOST} workers named {wanted} are already running.",
        next_step="Set TOWPATH_WORKER_NAME to another name.",
    )
