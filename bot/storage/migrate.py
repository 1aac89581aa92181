"""Bringing the database's tables up to date. The revisions are in the package `migrations`, in the wheel too."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, MetaData, text

from bot.storage.engines import READING
from bot.storage.failures import Unavailable, told
from bot.storage.tables import inbox_metadata, metadata

if TYPE_CHECKING:
    from alembic.config import Config

PATIENCE = 60.0
"""Seconds to wait for another process that migrates."""

_LOCK = 7_301_964_125_003
"""The advisory lock's number: any, but always the same."""


def migrate(engine: Engine) -> None:
    """Apply what is pending, all of it or nothing. Several processes may call it at once.

    A database that a later version has migrated is left as it is: each migration keeps the version before it working.
    Raises Unavailable where the database does not answer, is busy, or another process migrates for too long.
    """
    from alembic import command

    with told(), engine.begin() as connection:
        _alone(connection)
        if _pending(connection):
            command.upgrade(config(connection), "head")


def pending(engine: Engine) -> list[str]:
    """The revisions not yet applied, oldest first. Raises Unavailable."""
    with told(), engine.connect().execution_options(**{READING: True}) as connection:
        return _pending(connection)


def differences(engine: Engine) -> list[Any]:
    """How the database's tables differ from what this version wants, as Alembic's operations; empty when migrated."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with told(), engine.connect().execution_options(**{READING: True}) as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours, "compare_type": True})
        wanted: Any = tables_of(connection.dialect.name)  # several are fine, though not declared so
        return list(compare_metadata(context, wanted))


def ours(_thing: Any, _name: str | None, kind: str, reflected: bool, wanted: Any) -> bool:
    """Alembic's filter. DBOS keeps its tables in the same database (on SQLite without a prefix): a table in it that
    we do not know is none of ours."""
    return not (kind == "table" and reflected and wanted is None)


def tables_of(dialect: str) -> list[MetaData]:
    """What the migrated database holds: on SQLite the inbox is elsewhere."""
    return [metadata] if dialect == "sqlite" else [metadata, inbox_metadata]


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, without a file. A connection that is given stays the caller's."""
    from alembic.config import Config

    found = importlib.util.find_spec("migrations")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("the package `migrations` is missing")
    made = Config()
    made.set_main_option("script_location", str(Path(found.origin).parent).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


def _pending(connection: Connection) -> list[str]:
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(config())
    revisions = [script.revision for script in scripts.walk_revisions()]  # newest first
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in revisions:
        return []
    newer = revisions if current is None else revisions[: revisions.index(current)]
    return newer[::-1]


def _alone(connection: Connection) -> None:
    """On SQLite the transaction itself keeps others out. On Postgres: no statement may hold up the running version
    for long, neither by its work nor by waiting in front of others for a table."""
    if connection.dialect.name == "sqlite":
        return
    connection.execute(text("SET LOCAL lock_timeout = '4s'"))
    connection.execute(text("SET LOCAL statement_timeout = '5s'"))
    deadline = time.monotonic() + PATIENCE
    while not connection.execute(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK}).scalar():
        if time.monotonic() > deadline:
            raise Unavailable(f"another process has been migrating the database for {PATIENCE:.0f} s")
        time.sleep(0.1)
