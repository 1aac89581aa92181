from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import StatementError

from bot.storage.database import Database
from bot.storage.inbox import DeliveryRows, open_inbox
from bot.storage.tables import deliveries
from bot.vault import Vault
from tests.fixtures.storage import KEY
from tests.integration.storage.samples import at_once, delivery


def test_a_delivery_comes_back_as_it_was(inbox: DeliveryRows) -> None:
    assert inbox.accept(delivery())
    assert not inbox.accept(delivery(body=b"another"))
    assert inbox.get("d1") == delivery()
    assert inbox.get("d2") is None


def test_one_of_twenty_is_accepted(inbox: DeliveryRows) -> None:
    results = at_once(20, lambda _number: inbox.accept(delivery()))
    assert sorted(results) == [False] * 19 + [True]


def test_none_of_many_is_lost(inbox: DeliveryRows) -> None:
    assert at_once(40, lambda number: inbox.accept(delivery(f"d{number}"))) == [True] * 40
    assert {one.id for one in inbox.pending(99)} == {f"d{number}" for number in range(40)}


def test_pending_is_in_order_until_dispatched(inbox: DeliveryRows) -> None:
    for name in "cab":
        inbox.accept(delivery(name))
    assert [one.id for one in inbox.pending(2)] == ["c", "a"]
    inbox.dispatched(["c", "b", "unknown"])
    inbox.dispatched([])
    assert inbox.pending(9) == [delivery("a")]
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert inbox.forget(later - timedelta(days=1)) == 0
    assert inbox.forget(later) == 2
    assert inbox.get("c") is None
    assert [one.id for one in inbox.pending(9)] == ["a"]


def test_what_is_done_is_known_and_never_pending(inbox: DeliveryRows) -> None:
    assert inbox.accept(delivery("a"), done=True)
    assert not inbox.accept(delivery("a"))
    assert inbox.pending(9) == []
    assert inbox.get("a") == delivery("a")
    assert inbox.forget(delivery().received_at + timedelta(seconds=1)) == 1
    assert inbox.accept(delivery("a"))


def test_one_that_cannot_be_written_harms_no_other(inbox: DeliveryRows) -> None:
    """They come at once and share a transaction; the one that breaks it is told, the others are kept."""

    def accept(number: int) -> tuple[int, object]:
        broken = replace(delivery(f"d{number}"), received_at=datetime(2030, 1, 2))  # noqa: DTZ001
        try:
            return number, inbox.accept(broken if number % 10 == 3 else delivery(f"d{number}"))
        except StatementError as error:
            return number, type(error.orig).__name__

    expected = {number: "ValueError" if number % 10 == 3 else True for number in range(40)}
    assert dict(at_once(40, accept)) == expected
    assert len(inbox.pending(99)) == 36
    assert inbox.accept(delivery("last"))


def test_nothing_is_readable_at_rest(inbox: DeliveryRows) -> None:
    inbox.accept(delivery(headers={"X-Secret": "hunter2-hunter2"}))
    with inbox.engine.connect() as connection:
        row = str(connection.execute(select(deliveries)).one())
    assert "hunter2" not in row
    assert "acme/infra#7" in row


def test_another_process_finds_it_after_a_kill(sqlite_url: str, tmp_path: Path) -> None:
    path = tmp_path / "inbox.db"
    code = f"""
import os, pathlib, signal
from bot.vault import Vault
from bot.vault import Vault
from bot.storage.database import Database
from bot.storage.inbox import open_inbox
from tests.integration.storage.samples import delivery
inbox = open_inbox(Database({sqlite_url!r}, Vault({KEY!r})), pathlib.Path({str(path)!r}))
assert inbox.accept(delivery())
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert killed.returncode == -9, killed.stderr
    database = Database(sqlite_url, Vault(KEY))
    inbox = open_inbox(database, path)
    assert inbox.pending(9) == [delivery()]
    inbox.close()
    database.close()
