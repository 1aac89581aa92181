"""Migrate the database. The revisions are in the package `migrations`, which the wheel contains as well."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, MetaData, text

from bot.storage.engines import READING
from bot.storage.failures import Unavailable, translated_errors
from bot.storage.tables import inbox_metadata, metadata

if TYPE_CHECKING:
    from alembic.config import Config

PATIENCE = 60.0
"""Seconds to wait for another process that is migrating."""

_ADVISORY_LOCK = 7_301_964_125_003
"""The number of Postgres's advisory lock for migrations: arbitrary, but unique in the database."""


def migrate(engine: Engine) -> None:
    """Apply all pending revisions in one transaction. Several processes may call it at the same time.

    A database migrated by a later version is left alone: each migration keeps the version before it working. Raises
    Unavailable if the database does not answer or is busy, or if another process takes too long to migrate it.
    """
    from alembic import command

    with translated_errors(), engine.begin() as connection:
        _lock_out_others(connection)
        if _pending(connection):
            command.upgrade(alembic_config(connection), "head")


def pending(engine: Engine) -> list[str]:
    """Return the revisions that are not applied yet, oldest first. Raises Unavailable."""
    with translated_errors(), engine.connect().execution_options(**{READING: True}) as connection:
        return _pending(connection)


def differences(engine: Engine) -> list[Any]:
    """Return how the database differs from this version's tables, as Alembic's operations; empty when migrated."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with translated_errors(), engine.connect().execution_options(**{READING: True}) as connection:
        context = MigrationContext.configure(
            connection, opts={"include_object": is_own_table, "compare_type": True}
        )
        expected: Any = tables_of(connection.dialect.name)  # accepts a list, though it is not declared so
        return list(compare_metadata(context, expected))


def is_own_table(_object: Any, _name: str | None, kind: str, reflected: bool, declared: Any) -> bool:
    """Filter for Alembic: ignore tables in the database that are not declared here.

    They belong to DBOS, which uses the same database, on SQLite without a prefix.
    """
    return not (kind == "table" and reflected and declared is None)


def tables_of(dialect: str) -> list[MetaData]:
    """Return the tables of the migrated database; on SQLite the inbox is in another file."""
    return [metadata] if dialect == "sqlite" else [metadata, inbox_metadata]


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration, without a file. A given connection stays the caller's to close."""
    from alembic.config import Config

    found = importlib.util.find_spec("migrations")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("the package `migrations` is missing")
    config = Config()
    config.set_main_option("script_location", str(Path(found.origin).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _pending(connection: Connection) -> list[str]:
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(alembic_config())
    revisions = [script.revision for script in scripts.walk_revisions()]  # newest first
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in revisions:
        return []
    newer = revisions if current is None else revisions[: revisions.index(current)]
    return newer[::-1]


def _lock_out_others(connection: Connection) -> None:
    """Wait for other migrations, and limit statements on Postgres; on SQLite the transaction excludes others anyway.

    No statement may block the running version for long, neither by its work nor by queueing for a table's lock.
    """
    if connection.dialect.name == "sqlite":
        return
    connection.execute(text("SET LOCAL lock_timeout = '4s'"))
    connection.execute(text("SET LOCAL statement_timeout = '5s'"))
    deadline = time.monotonic() + PATIENCE
    while not connection.execute(
        text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK}
    ).scalar():
        if time.monotonic() > deadline:
            raise Unavailable(f"another process has been migrating the database for {PATIENCE:.0f} s")
        time.sleep(0.1)
