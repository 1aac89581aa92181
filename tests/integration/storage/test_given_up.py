"""Work that fails for good on the real queues: a run is ended, a delivery's asker is told."""

from __future__ import annotations

import threading

import pytest

from bot.errors import TransientError
from bot.jobs import durable
from bot.jobs.durable import Durable, Handlers
from bot.storage.database import Database
from bot.vault import Vault
from tests.integration.storage.samples import delivery, run

PATIENCE = 30.0
"""Seconds after which a wait that should have ended is a failure. No test waits for them."""


class Told:
    """What was handed over: (which handler, id, error's text, whether there is a reference)."""

    def __init__(self, expected: int) -> None:
        self.seen: set[tuple[str, str, str, bool]] = set()
        self._expected, self._all = expected, threading.Event()

    def by(self, name: str, key: str, error: Exception, ticket: str) -> None:
        self.seen.add((name, key, str(error), ticket.startswith("T-")))
        if len(self.seen) == self._expected:
            self._all.set()

    def wait(self) -> set[tuple[str, str, str, bool]]:
        self._all.wait(PATIENCE)
        return self.seen


def test_each_is_told_where_it_belongs(
    sqlite_url: str, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One fault, and one thing outside that stays away for longer than anybody waits."""
    monkeypatch.setattr(durable, "PATIENCE", -1.0)
    database, told = Database(sqlite_url, vault), Told(3)

    def away(_key: str) -> None:
        raise TransientError("GitHub is away", retry_after=0.01)

    def breaks(_key: str) -> None:
        raise RuntimeError("broken")

    durable.migrate(database.engine)
    work = Durable(database.engine, "here", 1)
    work.start(
        Handlers(
            delivery=away,
            plan=breaks,
            apply=breaks,
            destroy=breaks,
            sleep=breaks,
            drift=breaks,
            sync=breaks,
            export=breaks,
            unexported=lambda *facts: told.by("unexported", *facts),
            replans=breaks,
            broken=lambda *facts: told.by("broken", *facts),
            lost=lambda *facts: told.by("lost", *facts),
        )
    )
    try:
        with database.begin() as tables:
            for kind in ("plan", "apply"):
                tables.runs.add(made := run(kind, kind=kind))
                work.enqueue(made, tables)
            work.enqueue_deliveries(tables, [delivery("d1")])
            work.enqueue_replans(made, tables)  # nobody waits for them, so nobody is told
        work.wake("plans", "applies", "inbox")
        assert told.wait() == {
            ("lost", "d1", "GitHub is away", True),
            ("broken", "plan", "broken", True),
            ("broken", "apply", "broken", True),
        }
    finally:
        work.stop()
        database.close()
