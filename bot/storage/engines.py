"""SQLAlchemy engines for SQLite and Postgres, with what makes both of them durable and patient."""

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
"""Seconds: how long a transaction waits for another one on SQLite, or for a free connection of the pool."""

POOL = 5
SPARE = 10
"""Connections kept open, and those that may come on top for a while."""

PROVEN = 1.0
"""Seconds since its last use within which a connection is taken as alive: to ask each time was an eighth of what the
process did on Postgres. One that broke meanwhile fails as it could in the midst of a transaction."""

READING = "towpath_reading"
"""Execution option of a connection whose transaction only reads."""

_POSTGRES = {
    "connect_timeout": "10",
    # A cable that was pulled is noticed within a minute (libpq's default: two hours).
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
_LIMITS = "-c statement_timeout=30s -c lock_timeout=30s -c idle_in_transaction_session_timeout=60s"


def open_engine(url: str, *, pool: int = POOL, spare: int = SPARE) -> Engine:
    """An engine for `sqlite:///<path>`, `postgres://…` or `postgresql://…`; nothing is connected yet.

    pool, spare: see POOL and SPARE. Parameters of a statement never reach an exception or a log. Raises UserError for any other URL.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # their texts could hold the password
        raise UserError(_UNKNOWN, next_step=_USE) from None
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        return _sqlite(parsed, pool, spare)
    if parsed.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return _postgres(parsed, pool, spare)
    raise UserError(_UNKNOWN, next_step=_USE)


_UNKNOWN = "The database URL is neither SQLite's nor Postgres's."
_USE = "Set TOWPATH_DATABASE_URL to sqlite:////path/to/towpath.db or postgresql://user:password@host/name."


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
    event.listen(engine, "checkin", _used)
    event.listen(engine, "checkout", _prove(engine))
    return engine


def _used(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info["used"] = time.monotonic()


def _prove(engine: Engine) -> Callable[[Any, ConnectionPoolEntry, object], None]:
    """Before use, a connection that rested is asked whether it is alive; where it is not, all of the pool are made anew."""

    def prove(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        used = record.info.get("used")
        if used is None or time.monotonic() - used < PROVEN:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    return prove


def _sqlite(url: URL, pool: int, spare: int) -> Engine:
    if not url.database or url.database == ":memory:":
        raise UserError("SQLite needs a file: a database in memory would be lost.", next_step=_USE)
    _make_private(Path(url.database))
    engine = create_engine(
        url,
        connect_args={"timeout": WAIT},
        pool_size=pool,
        max_overflow=spare,
        pool_timeout=WAIT,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _make_private(path: Path) -> None:
    """Only a missing file is made: opening and closing one that is in use would drop SQLite's locks on it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun below, not by the driver's guess
    _write_ahead(connection)
    # FULL: in WAL mode, NORMAL may lose the last commits when the power fails. A commit says "this happened" to
    # GitHub, and comes before Terraform starts, so it has to last.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Two processes that make a new file at once may find it locked in spite of the timeout (SQLite: a deadlock
    is told at once), so ask again."""
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
    """A writing transaction takes its place at once: one that reads first and writes later can fail halfway."""
    reading = connection.get_execution_options().get(READING, False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
