"""What break-glasses leave to do, on SQLite and on Postgres."""

from __future__ import annotations

from dataclasses import replace

from bot.storage.database import Database
from tests.contract.storage.records import follow_up
from tests.integration.storage.samples import MINUTE, NOW, PROD, TEST, at_once


def test_they_come_back_as_they_were(store: Database) -> None:
    every = follow_up(acknowledged_by="bob", acknowledged_at=NOW + MINUTE)
    with store.begin() as tables:
        tables.follow_ups.add(every)
        tables.follow_ups.add(follow_up(reason="another"))
        assert tables.follow_ups.get("u1") == every
        assert tables.follow_ups.get("u2") is None


def test_which_are_open(store: Database) -> None:
    elsewhere = follow_up("u3", replace(PROD, repository="acme/shop"))
    with store.begin() as tables:
        for one in (follow_up("u9"), follow_up("u2", TEST), elsewhere, follow_up("u1")):
            tables.follow_ups.add(one)
        tables.follow_ups.acknowledge("u1", "bob", NOW)
        assert tables.follow_ups.open() == [follow_up("u9"), follow_up("u2", TEST), elsewhere]
        assert tables.follow_ups.open("acme/infra") == [follow_up("u9"), follow_up("u2", TEST)]
        assert tables.follow_ups.open(target=TEST) == [follow_up("u2", TEST)]
        assert tables.follow_ups.open("acme/shop", TEST) == []


def test_one_person_acknowledges_it(store: Database) -> None:
    with store.begin() as tables:
        tables.follow_ups.add(follow_up())
        assert not tables.follow_ups.acknowledge("u2", "bob", NOW)

    def acknowledge(number: int) -> str:
        with store.begin() as tables:
            return f"bob{number}" if tables.follow_ups.acknowledge("u1", f"bob{number}", NOW) else ""

    (winner,) = filter(None, at_once(8, acknowledge))
    with store.read() as tables:
        assert tables.follow_ups.get("u1") == follow_up(acknowledged_by=winner, acknowledged_at=NOW)
