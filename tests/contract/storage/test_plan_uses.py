"""Requests for plans, on SQLite and on Postgres."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.plans import PlanUse
from bot.storage.database import Database
from tests.integration.storage.samples import MINUTE, NOW, at_once

USE = PlanUse("u1", "acme/infra", 7, "ann", NOW)


def test_the_newest_of_a_person_and_of_a_pull_request(store: Database) -> None:
    with store.begin() as tables:
        for number, login, pull in ((1, "ann", 7), (2, "bob", 7), (3, "ann", 8), (4, "", 7)):
            use = replace(USE, id=f"u{number}", login=login, pull=pull, at=NOW + number * MINUTE)
            assert tables.plan_uses.add(use)
        assert not tables.plan_uses.add(USE)
        assert tables.plan_uses.by("ann", 5) == [NOW + 3 * MINUTE, NOW + MINUTE]
        assert tables.plan_uses.by("ann", 1) == [NOW + 3 * MINUTE]
        assert tables.plan_uses.of_pull("acme/infra", 7, 2) == [NOW + 4 * MINUTE, NOW + 2 * MINUTE]
        assert tables.plan_uses.of_pull("acme/shop", 7, 2) == []
        assert tables.plan_uses.forget(NOW + 3 * MINUTE, 1) == 1
        assert tables.plan_uses.forget(NOW + 3 * MINUTE, 9) == 1
        assert tables.plan_uses.by("ann", 5) == [NOW + 3 * MINUTE]


def test_several_at_once_count_each_other(store: Database) -> None:
    """Whoever adds one sees all that were added before, so that workers together keep the limit."""

    def add(number: int) -> int:
        with store.begin() as tables:
            tables.plan_uses.add(replace(USE, id=f"u{number}", pull=number))
            return len(tables.plan_uses.by("ann", 100))

    assert sorted(at_once(8, add)) == list(range(1, 9))
