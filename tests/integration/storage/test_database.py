from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from bot.domain.states.model import StateInfo
from bot.errors import TransientError, UserError
from bot.storage import engines
from bot.storage.database import Database
from bot.storage.engines import open_engine
from bot.storage.failures import DiskFull, Unavailable
from bot.storage.inbox import DeliveryRows
from bot.storage.reseal import reseal
from bot.vault import Vault
from tests.contract.state_store import state
from tests.fixtures.storage import KEY
from tests.integration.storage.samples import FILE, NOW, at_once, delivery, plan, pull, run

OTHER = "another-key-for-tests-and-nothing-else"
SECRET = b"hunter2-hunter2"


def fill(store: Database) -> None:
    data = state(1, outputs={"password": SECRET.decode()})
    with store.begin() as tables:
        tables.runs.add(run())
        tables.runs.add_log("r1", [SECRET.decode()])
        tables.plans.add(plan(), FILE)
        tables.states.append("k", data, StateInfo.parse(data))


def test_an_exception_rolls_back(store: Database) -> None:
    def fail() -> None:
        with store.begin() as tables:
            tables.runs.add(run())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.read() as tables:
        assert tables.runs.get("r1") is None


def test_a_taken_id_rolls_back_and_is_a_fault(store: Database) -> None:
    fill(store)

    def fail() -> None:
        with store.begin() as tables:
            tables.pulls.save(pull())
            tables.runs.add(run(message="hunter2"))

    with pytest.raises(IntegrityError) as caught:
        fail()
    assert "hunter2" not in str(caught.value)
    with store.read() as tables:
        assert tables.pulls.get("acme/infra", 7) is None


def test_reading_writes_nothing(store: Database) -> None:
    with pytest.raises(DBAPIError, match=r"read-?only"), store.read() as tables:
        tables.runs.add(run())
    with store.begin() as tables:
        tables.runs.add(run())
    with store.read() as tables:
        assert tables.runs.get("r1") == run()


def test_reading_sees_one_moment(store: Database) -> None:
    with store.read() as before:
        assert before.runs.get("r1") is None
        with store.begin() as tables:
            tables.runs.add(run())
        assert before.runs.get("r1") is None
    with store.read() as after:
        assert after.runs.get("r1") == run()


def test_many_writers_get_their_turn(store: Database) -> None:
    def write(number: int) -> None:
        for part in range(5):
            with store.begin() as tables:
                assert tables.runs.get(f"r{number}.{part}") is None
                tables.runs.add(run(f"r{number}.{part}"))

    assert at_once(8, write) == [None] * 8
    with store.read() as tables:
        assert len(tables.runs.active()) == 40


def test_times_are_utc(store: Database) -> None:
    berlin = datetime(2030, 1, 2, 4, 4, 5, tzinfo=timezone(timedelta(hours=1)))
    with store.begin() as tables:
        tables.runs.add(run(created_at=berlin))
    with store.read() as tables:
        found = tables.runs.get("r1")
        assert found is not None
        assert found.created_at == berlin
        assert found.created_at.utcoffset() == timedelta(0)
    with pytest.raises(StatementError, match="without a time zone"), store.begin() as tables:
        tables.runs.add(run("r2", created_at=NOW.replace(tzinfo=None)))


def test_nothing_secret_is_readable_at_rest(sqlite_url: str, vault: Vault, tmp_path: Path) -> None:
    store = Database(sqlite_url, vault)
    fill(store)
    with store.begin() as tables:
        tables.runs.update("r1", message="a plain sentence")
    store.close()
    raw = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"a plain sentence" in raw
    assert SECRET not in raw


def test_a_lost_key_is_told_at_start(store: Database, database_url: str) -> None:
    store.check_key()
    store.check_key()
    other = Database(database_url, Vault(OTHER))
    with pytest.raises(UserError, match="TOWPATH_SECRET_KEY"):
        other.check_key()
    other.close()
    store.check_key()


def test_a_key_is_replaced(store: Database, database_url: str, inbox: DeliveryRows) -> None:
    store.check_key()
    fill(store)
    inbox.accept(delivery())
    both = Database(database_url, Vault(f"{OTHER},{KEY}"))
    both.check_key()
    with both.read() as tables:
        assert tables.plans.file("p1") == FILE
    new = Database(database_url, Vault(OTHER))
    with pytest.raises(UserError):  # the old one still seals something
        new.check_key()
    both_inbox = DeliveryRows(inbox.engine, both.vault)
    assert reseal(both, both_inbox) == 4
    assert reseal(both, both_inbox) == 0
    new.check_key()
    with new.read() as tables:
        assert tables.plans.file("p1") == FILE
        assert tables.runs.log("r1") == (1, [SECRET.decode()])
        current = tables.states.current("k")
        assert current is not None
        assert SECRET in current[1]
    assert DeliveryRows(inbox.engine, new.vault).get("d1") == delivery()
    with pytest.raises(UserError):
        store.check_key()
    both.close()
    new.close()


def test_a_busy_sqlite_is_told(sqlite_url: str, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "WAIT", 0)
    first, second = Database(sqlite_url, vault), Database(sqlite_url, vault)
    with first.begin() as tables:
        tables.runs.add(run())
        with pytest.raises(Unavailable, match="locked"), second.begin():
            raise AssertionError
    with second.begin() as tables:
        assert tables.runs.get("r1") == run()
    first.close()
    second.close()


@pytest.fixture
def small(sqlite_url: str, vault: Vault) -> Iterator[Database]:
    """A database with room for a few pages more."""
    store = Database(sqlite_url, vault)

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 20}")

    event.listen(store.engine, "connect", limit)
    yield store
    store.close()


def test_a_full_disk_leaves_nothing_half_done(small: Database) -> None:
    file = os.urandom(400_000)
    big = plan(file=file, digest=hashlib.sha256(file).hexdigest())

    def fail() -> None:
        with small.begin() as tables:
            tables.runs.add(run())
            tables.plans.add(big, file)

    with pytest.raises(DiskFull, match="full") as caught:
        fail()
    assert isinstance(caught.value, TransientError)
    with small.begin() as tables:
        assert tables.runs.get("r1") is None
        assert tables.plans.get("p1") is None
        tables.runs.add(run())
    with small.read() as tables:
        assert tables.runs.get("r1") == run()
        assert tables.connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/data/towpath.db")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (x)"))
    files = list((tmp_path / "data").iterdir())
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    with engine.connect() as connection:
        pragmas = ["journal_mode", "synchronous", "foreign_keys", "busy_timeout"]
        found = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in pragmas]
    assert found == ["wal", 2, 1, 30_000]
    engine.dispose()


@pytest.mark.parametrize("url", ["mysql://ann:hunter2@host/db", "hunter2", "sqlite://", "sqlite:///:memory:"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(UserError) as caught:
        open_engine(url)
    assert "hunter2" not in str(caught.value)


def test_both_spellings_of_postgres() -> None:
    for url in (
        "postgres://a:b@h:1/d?sslmode=require",
        "postgresql://a:b@h:1/d",
        "postgresql+psycopg://a:b@h/d",
    ):
        engine = open_engine(url)
        assert (engine.dialect.name, engine.dialect.driver, engine.url.database) == (
            "postgresql",
            "psycopg",
            "d",
        )


@pytest.mark.postgres
def test_a_connection_that_broke_is_replaced(postgres_url: str, vault: Vault) -> None:
    store = Database(postgres_url, vault)
    breaking = text("SELECT pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(Unavailable), store.begin() as tables:
        tables.connection.execute(breaking)
    with store.begin() as tables:
        tables.runs.add(run())
        assert tables.connection.execute(text("SHOW statement_timeout")).scalar() == "30s"
    store.close()


def test_no_server_is_told(vault: Vault) -> None:
    store = Database("postgresql://ann:hunter2@127.0.0.1:1/none", vault)
    with pytest.raises(Unavailable, match="does not answer") as caught, store.begin():
        raise AssertionError
    assert "hunter2" not in str(caught.value)
