"""Releases that change: their verification, and which one stands, on SQLite and on Postgres."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.storage.database import Database
from tests.integration.storage.samples import NOW, PROD, TEST, release


def test_a_release_is_known_by_its_id(store: Database) -> None:
    every = replace(release("e1"), configuration="d", approval="a1", forced="the site is down")
    with store.begin() as tables:
        tables.releases.add(every)
        assert tables.releases.get("e1") == every
        assert tables.releases.get("e2") is None


def test_its_verification_comes_later(store: Database) -> None:
    changes: dict[str, Any] = {
        "verification": "passed",
        "verified_at": NOW,
        "checks": ({"name": "site", "ok": True, "message": "200", "seconds": 0.1},),
    }
    with store.begin() as tables:
        tables.releases.add(release("e1"))
        tables.releases.add(release("e2"))
        tables.releases.update("e1", **changes)
        assert tables.releases.get("e1") == replace(release("e1"), **changes)
        assert tables.releases.get("e2") == release("e2")
        with pytest.raises(KeyError):
            tables.releases.update("e3", **changes)


def test_none_stands_once_another_apply_began(store: Database) -> None:
    with store.begin() as tables:
        tables.releases.deactivate(PROD)
        for one in (release("e1"), release("e2"), release("e3", TEST)):
            tables.releases.add(one)
        tables.releases.deactivate(PROD)
        tables.releases.add(release("e4"))
        found = [tables.releases.get(f"e{number}") for number in range(1, 5)]
        assert [one.active for one in found if one] == [False, False, True, True]
        assert tables.releases.newest(PROD) == release("e4")
