"""The bell in DBOS's own threads: work starts when it rings, long before the next poll."""

from __future__ import annotations

import threading
import time

import pytest

from bot.jobs import durable
from bot.jobs.durable import INBOX, PLANS, Durable, Handlers
from bot.storage.database import Database
from bot.vault import Vault
from tests.integration.storage.samples import delivery, run

NEVER = 3600.0
"""Seconds between polls: who waits for one fails."""
PATIENCE = 30.0


def test_a_ring_starts_what_was_enqueued_and_a_stop_ends_the_waits(
    sqlite_url: str, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable, "POLL", NEVER)
    monkeypatch.setattr(
        durable, "SETTLED", (0.02, 0.15, 1.0, 5.0, 10.0)
    )  # no poll makes up for a slot that is free late
    database, begun = Database(sqlite_url, vault), threading.Semaphore(0)

    def begin(_key: str, *_more: object) -> None:
        begun.release()

    durable.migrate(database.engine)
    work = Durable(database.engine, "here", 1)
    work.start(
        Handlers(
            delivery=begin,
            plan=begin,
            apply=begin,
            destroy=begin,
            sleep=begin,
            drift=begin,
            sync=begin,
            export=begin,
            unexported=begin,
            replans=begin,
            broken=begin,
            lost=begin,
        )
    )
    try:
        for number in range(2):
            with database.begin() as tables:
                tables.runs.add(made := run(f"r{number}", kind="plan"))
                work.enqueue(made, tables)
            work.wake(PLANS)
            assert begun.acquire(timeout=PATIENCE)
            with database.begin() as tables:
                work.enqueue_deliveries(tables, [delivery(f"d{number}")])
            work.wake(INBOX)
            assert begun.acquire(timeout=PATIENCE)
    finally:
        began = time.monotonic()
        assert work.stop()
        database.close()
    assert time.monotonic() - began < PATIENCE
