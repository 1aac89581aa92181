"""Approvals and decisions, on SQLite and on Postgres."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from bot.domain.approvals import ApprovalStatus
from bot.storage.database import Database
from tests.contract.storage.records import approval, decision
from tests.integration.storage.samples import MINUTE, NOW, PROD, TEST, at_once


def test_an_approval_comes_back_as_it_was(store: Database) -> None:
    every = approval(status="planning", why="because", ended_at=NOW, ready_at=NOW + MINUTE)
    with store.begin() as tables:
        tables.approvals.add(every)
    with store.read() as tables:
        assert tables.approvals.get("a1") == every
        assert tables.approvals.get("a2") is None
    with pytest.raises(IntegrityError), store.begin() as tables:
        tables.approvals.add(approval())


def test_which_is_live_and_which_is_newest(store: Database) -> None:
    ended: list[ApprovalStatus] = ["used", "rejected", "expired", "dead"]
    old = [approval(f"old-{status}", status=status) for status in ended]
    live = [approval("open"), approval("planning", TEST, status="planning"), approval("other", pull=8)]
    elsewhere = approval("elsewhere", replace(PROD, repository="acme/shop"))
    with store.begin() as tables:
        for one in [*old[:2], *live, *old[2:], elsewhere]:
            tables.approvals.add(one)
    with store.read() as tables:
        assert tables.approvals.live(PROD, 7) == live[0]
        assert tables.approvals.live(TEST, 7) == live[1]
        assert tables.approvals.live(TEST, 8) is None
        assert tables.approvals.newest(PROD, 7) == old[3]
        assert tables.approvals.newest(PROD, 9) is None
        assert tables.approvals.all_live() == [*live, elsewhere]
        assert tables.approvals.of_pull("acme/infra", 7) == [*old[:1:-1], live[1], live[0], *old[1::-1]]
        assert tables.approvals.of_pull("acme/shop", 7) == [elsewhere]


@pytest.mark.parametrize("status", ["planning", "open"])
def test_it_ends_once(store: Database, status: ApprovalStatus) -> None:
    with store.begin() as tables:
        tables.approvals.add(approval(status=status))
        tables.approvals.add(approval("a2"))
        with pytest.raises(ValueError, match="does not end an approval"):
            tables.approvals.end("a1", "open", "", NOW)
        assert tables.approvals.end("a1", "rejected", "too risky", NOW + MINUTE)
        assert not tables.approvals.end("a1", "used", "", NOW)
        assert not tables.approvals.end("a3", "used", "", NOW)
        assert tables.approvals.get("a1") == approval(
            status="rejected", why="too risky", ended_at=NOW + MINUTE
        )
        assert tables.approvals.get("a2") == approval("a2")


def test_only_a_live_one_changes(store: Database) -> None:
    changes: dict[str, Any] = {
        "status": "open",
        "plan_digest": "e" * 64,
        "owners": ({"paths": ["a"], "any_of": ["@carol"]},),
        "excluded": ("ann", "bob"),
        "ready_at": NOW,
    }
    with store.begin() as tables:
        tables.approvals.add(approval(status="planning"))
        tables.approvals.update("a1", **changes)
        tables.approvals.update("a1")
        tables.approvals.update("a3", count=9)
        assert tables.approvals.get("a1") == replace(approval(), **changes)
        tables.approvals.end("a1", "dead", "a push", NOW)
        before = tables.approvals.get("a1")
        tables.approvals.update("a1", status="open", count=9)
        assert tables.approvals.get("a1") == before


def test_of_many_who_end_it_one_does(store: Database) -> None:
    with store.begin() as tables:
        tables.approvals.add(approval())
    ends: list[ApprovalStatus] = ["used", "rejected", "expired", "dead"] * 2

    def end(number: int) -> ApprovalStatus | None:
        with store.begin() as tables:
            ended = tables.approvals.end("a1", ends[number], str(number), NOW)
            return ends[number] if ended else None

    (winner,) = [one for one in at_once(8, end) if one is not None]
    with store.read() as tables:
        found = tables.approvals.get("a1")
        assert found is not None
        assert found.status == winner == ends[int(found.why)]


def test_a_change_never_revives_what_ends_meanwhile(store: Database) -> None:
    with store.begin() as tables:
        tables.approvals.add(approval(status="planning"))

    def work(number: int) -> bool | None:
        with store.begin() as tables:
            if number:
                return tables.approvals.end("a1", "dead", "a push", NOW)
            tables.approvals.update("a1", status="open")
            return None

    assert sorted(at_once(2, work), key=str) == [None, True]
    with store.read() as tables:
        assert tables.approvals.live(PROD, 7) is None


def test_the_very_same_decision_is_known(store: Database) -> None:
    with store.begin() as tables:
        assert tables.approvals.decide(decision())
        assert not tables.approvals.decide(decision())
        assert tables.approvals.decisions("a1") == [decision()]
        assert tables.approvals.decisions("a2") == []


@pytest.mark.parametrize(
    "change",
    [
        {"answer": "withdraw"},
        {"reason": "why not"},
        {"role": "read"},
        {"groups": ()},
        {"groups": ("@acme/größe", "@acme/ops")},
        {"at": NOW + MINUTE},
    ],
)
def test_another_answer_takes_its_place(store: Database, change: dict[str, Any]) -> None:
    later = decision("slack:1", login="carol", via="slack", approval_id="a1")
    with store.begin() as tables:
        for one in (decision(), later, decision("review:2", approval_id="a2")):
            assert tables.approvals.decide(one)
        assert tables.approvals.decide(decision(**change))
        assert not tables.approvals.decide(decision(**change))
        assert tables.approvals.decisions("a1") == [decision(**change), later]
        assert tables.approvals.decisions("a2") == [decision("review:2", approval_id="a2")]


def test_a_decision_that_comes_many_times_at_once_is_kept_once(store: Database) -> None:
    def decide(_number: int) -> bool:
        with store.begin() as tables:
            return tables.approvals.decide(decision())

    assert sorted(at_once(8, decide)) == [False] * 7 + [True]


def test_two_people_decide_at_once(store: Database) -> None:
    def decide(number: int) -> bool:
        with store.begin() as tables:
            return tables.approvals.decide(decision(f"slack:{number}", login=["bob", "carol"][number]))

    assert at_once(2, decide) == [True, True]
    with store.read() as tables:
        assert {one.login for one in tables.approvals.decisions("a1")} == {"bob", "carol"}
