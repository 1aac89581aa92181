from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from bot.storage.crypto import Vault
from bot.storage.database import Database
from bot.storage.inbox import DeliveryRows, open_inbox
from bot.storage.tables import deliveries
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
from bot.storage.crypto import Vault
from bot.storage.crypto import Vault
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
