"""Create SQLAlchemy engines for SQLite and Postgres, with settings for durability, timeouts and concurrency."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

from bot.errors import UserError

WAIT = 30
"""Seconds that a transaction waits for another one on SQLite, or for a free connection of the pool."""

POOL = 5
SPARE = 10
"""Connections that the pool keeps open, and how many more it may open temporarily."""

PING_AFTER = 1.0
"""Seconds without use after which a connection is pinged before it is used. Pinging every time took an eighth of the
process's time on Postgres. A connection that broke within this time fails as it could within a transaction."""

READING = "towpath_reading"
"""Execution option of connections whose transactions only read."""

_POSTGRES = {
    "connect_timeout": "10",
    # Notice a broken network within a minute (libpq's default: two hours).
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
_LIMITS = "-c statement_timeout=30s -c lock_timeout=30s -c idle_in_transaction_session_timeout=60s"


def open_engine(url: str, *, pool: int = POOL, spare: int = SPARE) -> Engine:
    """Return an engine for `sqlite:///<path>`, `postgres://…` or `postgresql://…`, without connecting yet.

    pool, spare: see POOL and SPARE. Statement parameters never appear in exceptions or logs. Raises UserError for any
    other URL.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # their texts could contain the password
        raise UserError(_UNKNOWN_URL, next_step=_SUPPORTED_URLS) from None
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        return _sqlite(parsed, pool, spare)
    if parsed.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return _postgres(parsed, pool, spare)
    raise UserError(_UNKNOWN_URL, next_step=_SUPPORTED_URLS)


_UNKNOWN_URL = "The database URL is for neither SQLite nor Postgres."
_SUPPORTED_URLS = (
    "Set TOWPATH_DATABASE_URL to sqlite:////path/to/towpath.db or postgresql://user:password@host/name."
)


def _postgres(url: URL, pool: int, spare: int) -> Engine:
    options = f"{url.query.get('options', '')} {_LIMITS}".strip()
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={**_POSTGRES, **url.query, "options": options},
        pool_size=pool,
        max_overflow=spare,
        pool_timeout=WAIT,
        hide_parameters=True,
    )
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", _ping_idle(engine))
    return engine


def _note_use(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info["used_at"] = time.monotonic()


def _ping_idle(engine: Engine) -> Callable[[Any, ConnectionPoolEntry, object], None]:
    """Return a listener that pings an idle connection before use; if it is dead, the whole pool is reconnected."""

    def ping(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        used_at = record.info.get("used_at")
        if used_at is None or time.monotonic() - used_at < PING_AFTER:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    return ping


def _sqlite(url: URL, pool: int, spare: int) -> Engine:
    if not url.database or url.database == ":memory:":
        raise UserError("SQLite needs a file: a database in memory would be lost.", next_step=_SUPPORTED_URLS)
    _create_private(Path(url.database))
    engine = create_engine(
        url,
        connect_args={"timeout": WAIT},
        pool_size=pool,
        max_overflow=spare,
        pool_timeout=WAIT,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _create_private(path: Path) -> None:
    """Create a missing file, readable by its owner only. Opening and closing one in use would drop SQLite's locks."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))


def _configure(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # `_begin` starts transactions, not the driver
    _enable_wal(connection)
    # In WAL mode NORMAL may lose the last commits at a power failure. What is committed has been reported to GitHub, or
    # is the journal row before an apply, so it must not be lost.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _enable_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL mode, retrying while the file is locked.

    Two processes that create a file at the same time may get an error at once in spite of the timeout, since SQLite
    reports a possible deadlock immediately.
    """
    deadline = time.monotonic() + WAIT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _begin(connection: Connection) -> None:
    """Start a transaction; a writing one locks at once, since one that reads before it writes may fail halfway."""
    reading = connection.get_execution_options().get(READING, False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
