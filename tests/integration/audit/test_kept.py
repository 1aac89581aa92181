"""The clock's forgetting leaves the record alone."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from bot.audit.reading import walk
from bot.audit.verification import Verified, verify
from bot.services.maintenance.retention import delete_expired
from bot.storage.database import Database
from bot.storage.inbox import DeliveryRows
from tests.contract.storage.records import entry
from tests.integration.storage.samples import NOW, run


def test_no_entry_is_ever_forgotten(store: Database, inbox: DeliveryRows) -> None:
    with store.begin() as tables:
        every = [tables.audit.add(entry(index)) for index in range(5)]
        tables.runs.add(run(phase="finished", finished_at=NOW))
        tables.runs.add_log("r1", ["gone by then"])
    context: Any = SimpleNamespace(
        store=store,
        now=lambda: NOW + timedelta(days=36_500),
        work=SimpleNamespace(forget=lambda _before, _limit: 0),
    )
    assert delete_expired(context, inbox)["logs"] == 1
    assert verify(walk(store), every[-1].digest) == Verified(5, every[-1].digest)
