from __future__ import annotations

import subprocess
import sys

import pytest
from sqlalchemy import Engine, inspect, text

from bot.storage import migrate as migration
from bot.storage.database import Database
from bot.storage.engines import open_engine
from bot.storage.failures import Unavailable
from bot.storage.migrate import differences, migrate, pending, tables_of
from bot.vault import Vault
from tests.integration.storage.samples import FILE, at_once, plan, pull, run


@pytest.fixture
def engine(empty_database_url: str) -> Engine:
    return open_engine(empty_database_url)


def test_the_migrated_tables_are_the_wanted_ones(engine: Engine) -> None:
    assert pending(engine)
    assert differences(engine)
    migrate(engine)
    assert pending(engine) == []
    assert differences(engine) == []
    wanted = {name for metadata in tables_of(engine.dialect.name) for name in metadata.tables}
    assert set(inspect(engine).get_table_names()) == wanted | {"alembic_version"}
    engine.dispose()


def test_rows_survive_migrating_again(store: Database) -> None:
    with store.begin() as tables:
        tables.pulls.save(pull())
        tables.runs.add(run())
        tables.plans.add(plan(), FILE)
    migrate(store.engine)
    with store.read() as tables:
        assert tables.runs.get("r1") == run()
        assert tables.plans.file("p1") == FILE


def test_many_at_once_migrate_once(engine: Engine) -> None:
    assert at_once(4, lambda _number: migrate(engine)) == [None] * 4
    assert differences(engine) == []
    engine.dispose()


def test_processes_at_once_migrate_once(empty_database_url: str) -> None:
    code = (
        "import sys; from bot.storage.engines import open_engine; from bot.storage.migrate import migrate; "
    )
    code += "sys.stdin.read(); migrate(open_engine(sys.argv[1]))"
    command = [sys.executable, "-c", code, empty_database_url]
    racers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    for racer in racers:
        assert racer.stdin
        racer.stdin.close()
    for racer in racers:
        assert racer.stderr
        with racer.stderr as errors:
            told = errors.read()
        assert racer.wait() == 0, told
    engine = open_engine(empty_database_url)
    assert differences(engine) == []
    engine.dispose()


def test_other_tables_are_left_alone(store: Database) -> None:
    with store.begin() as tables:
        tables.connection.execute(text("CREATE TABLE workflow_status (x INTEGER)"))
        if store.dialect == "postgresql":
            tables.connection.execute(text("CREATE SCHEMA dbos"))
            tables.connection.execute(text("CREATE TABLE dbos.notifications (x INTEGER)"))
    assert differences(store.engine) == []


def test_a_later_version_is_left_alone(store: Database) -> None:
    with store.begin() as tables:
        tables.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert pending(store.engine) == []
    migrate(store.engine)
    with store.read() as tables:
        assert tables.connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"


def test_a_failing_migration_leaves_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE surfaces (x INTEGER)"))
    with pytest.raises(Exception, match="surfaces"):
        migrate(engine)
    assert inspect(engine).get_table_names() == ["surfaces"]
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE surfaces"))
    migrate(engine)
    assert differences(engine) == []
    engine.dispose()


@pytest.mark.postgres
def test_another_migration_is_waited_for_but_not_for_ever(
    empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration, "PATIENCE", 0.2)
    engine = open_engine(empty_postgres_url)
    with engine.begin() as other:
        other.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": migration._ADVISORY_LOCK})
        with pytest.raises(Unavailable, match="another process"):
            migrate(engine)
    migrate(engine)
    engine.dispose()


@pytest.mark.postgres
def test_a_busy_table_stops_it_soon(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration that waits for a table holds up everybody behind it, so it gives up after lock_timeout."""
    seen: list[str] = []

    def look(connection: object) -> list[str]:
        assert hasattr(connection, "execute")
        seen.extend(
            connection.execute(text(f"SHOW {name}")).scalar()
            for name in ("lock_timeout", "statement_timeout")
        )
        return []

    engine = open_engine(postgres_url)
    monkeypatch.setattr(migration, "_pending", look)
    migrate(engine)
    engine.dispose()
    assert seen == ["4s", "5s"]


def test_the_key_is_checked_after_migrating(empty_database_url: str, vault: Vault) -> None:
    database = Database(empty_database_url, vault)
    migrate(database.engine)
    database.check_key()
    database.close()
