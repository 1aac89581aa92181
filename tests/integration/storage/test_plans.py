from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.run import PlanStatus
from bot.storage.database import Database
from bot.storage.tables import plan_files
from tests.integration.storage.samples import FILE, PROD, TEST, at_once, plan, pull, release, run


def test_a_plan_comes_back_with_its_file(store: Database) -> None:
    with store.begin() as tables:
        tables.plans.add(plan(), FILE)
    with store.read() as tables:
        assert tables.plans.get("p1") == plan()
        assert tables.plans.file("p1") == FILE
        assert tables.plans.get("p2") is None
        with pytest.raises(KeyError):
            tables.plans.file("p2")


def test_a_file_must_have_its_digest(store: Database) -> None:
    with store.begin() as tables, pytest.raises(ValueError, match="digest"):
        tables.plans.add(plan(), b"another")
    with store.begin() as tables:
        tables.plans.add(plan(), FILE)
        tables.connection.execute(
            plan_files.update().values(file=store.vault.seal(b"another", "plan_files/p1"))
        )
        with pytest.raises(ValueError, match="digest"):
            tables.plans.file("p1")
        tables.connection.execute(plan_files.update().values(file=b"garbage"))
        with pytest.raises(ValueError, match="not sealed by Towpath"):
            tables.plans.file("p1")


def test_the_newest_is_of_a_target_and_a_pull_request(store: Database) -> None:
    others = [plan("p3", target=TEST), plan("p4", pull=8)]
    with store.begin() as tables:
        for one in [plan("p1"), plan("p2"), *others]:
            tables.plans.add(one, FILE)
        assert tables.plans.newest(PROD, 7) == plan("p2")
        assert tables.plans.newest(PROD, 9) is None
        assert tables.plans.supersede(PROD, 7, except_id="p2") == 1
        assert tables.plans.supersede(PROD, 7) == 1
        assert tables.plans.supersede(PROD, 7) == 0
        assert tables.plans.get("p1") == replace(plan("p1"), status="superseded")
        assert [tables.plans.get(one.id) for one in others] == others


def test_a_plan_is_taken_once(store: Database) -> None:
    with store.begin() as tables:
        tables.plans.add(plan(), FILE)

    def take(_number: int) -> bool:
        with store.begin() as tables:
            return tables.plans.take("p1", "fresh", "applying")

    assert sorted(at_once(8, take)) == [False] * 7 + [True]


def test_worktrees_that_are_needed(store: Database) -> None:
    statuses: dict[str, tuple[int, PlanStatus]] = {
        "open": (7, "fresh"),
        "closed": (8, "fresh"),
        "unknown": (9, "fresh"),
        "nobody's": (0, "fresh"),
        "old": (7, "superseded"),
        "applying": (8, "applying"),
        "applied": (7, "applied"),
    }
    with store.begin() as tables:
        tables.pulls.save(pull(7))
        tables.pulls.save(pull(8, state="merged"))
        for plan_id, (number, status) in statuses.items():
            tables.plans.add(plan(plan_id, pull=number, status=status), FILE)
        assert tables.plans.worktrees() == {f"/worktrees/{name}" for name in ("open", "nobody's", "applying")}


def test_the_newest_release(store: Database) -> None:
    with store.begin() as tables:
        assert tables.releases.newest(PROD) is None
        for one in (release("e1"), release("e2"), release("e3", TEST)):
            tables.releases.add(one)
        assert tables.releases.newest(PROD) == release("e2")
        assert tables.releases.newest(TEST) == release("e3", TEST)


def test_a_backend_that_another_repository_uses(store: Database) -> None:
    backend = {"kind": "s3", "config": {"bucket": "states", "key": "größe/terraform.tfstate"}}
    with store.begin() as tables:
        tables.plans.add(plan(backend=backend), FILE)
    with store.read() as tables:
        assert tables.plans.elsewhere("acme/shop", backend) == PROD
        assert tables.plans.elsewhere("acme/infra", backend) is None
        assert tables.plans.elsewhere("acme/shop", {**backend, "config": {"bucket": "other"}}) is None


def test_one_transaction_at_a_time_for_targets_in_whatever_order_they_are_named(store: Database) -> None:
    inside: list[int] = []

    def enter(number: int) -> int:
        with store.begin() as tables:
            tables.locks.alone(*((PROD, TEST) if number % 2 else (TEST, PROD)))
            inside.append(number)
            alone = len(inside) == 1
            inside.remove(number)
            return alone

    assert at_once(8, enter) == [True] * 8


def test_the_newest_of_many_targets_at_once(store: Database) -> None:
    releases = [release("e1"), release("e2"), release("e3", TEST)]
    with store.begin() as tables:
        for name, target, number in (("1", PROD, 7), ("2", PROD, 7), ("3", TEST, 7), ("4", PROD, 9)):
            tables.runs.add(run(f"r{name}", target=target, pull=number))
            tables.plans.add(plan(f"p{name}", target=target, pull=number), FILE)
        for one in releases:
            tables.releases.add(one)
    with store.read() as tables:
        assert tables.runs.newest_of([PROD, TEST], pull=7) == {
            PROD: run("r2", target=PROD),
            TEST: run("r3", target=TEST),
        }
        assert tables.runs.newest_of([], pull=7) == {}
        assert tables.plans.newest_of([PROD, TEST], 9) == {PROD: plan("p4", pull=9)}
        assert tables.plans.newest_of([TEST], 7) == {TEST: plan("p3", target=TEST)}
        assert tables.releases.newest_of([PROD, TEST]) == {PROD: releases[1], TEST: releases[2]}
