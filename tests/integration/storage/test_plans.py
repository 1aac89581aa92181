from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.ports.store import PlanDamaged
from bot.domain.run import Origin, PlanStatus
from bot.storage.database import Database
from bot.storage.tables import plan_files, plan_pages
from tests.integration.storage.samples import FILE, MINUTE, NOW, PROD, TEST, at_once, plan, pull, release, run


def test_a_plan_comes_back_with_its_file(store: Database) -> None:
    with store.begin() as tables:
        tables.plans.add(plan(), FILE)
    with store.read() as tables:
        assert tables.plans.get("p1") == plan()
        assert tables.plans.file("p1") == FILE
        assert tables.plans.get("p2") is None
        with pytest.raises(PlanDamaged, match="no file"):
            tables.plans.file("p2")


def test_pages_are_sealed_each_for_its_place(store: Database) -> None:
    with store.begin() as tables:
        tables.plans.add(plan(), FILE, [b"first hunter2", b"second"])
    with store.begin() as tables:
        assert [tables.plans.page("p1", number) for number in range(4)] == [
            None,
            b"first hunter2",
            b"second",
            None,
        ]
        assert tables.plans.page("p2", 1) is None
        rows = tables.connection.execute(plan_pages.select().order_by(plan_pages.c.number)).all()
        assert not any(b"hunter2" in row.content for row in rows)
        tables.connection.execute(plan_pages.update().values(content=rows[1].content))
        with pytest.raises(ValueError, match="another row"):
            tables.plans.page("p1", 1)


def test_a_file_must_have_its_digest(store: Database) -> None:
    with store.begin() as tables, pytest.raises(ValueError, match="digest"):
        tables.plans.add(plan(), b"another")
    with store.begin() as tables:
        tables.plans.add(plan(), FILE)
        tables.connection.execute(
            plan_files.update().values(file=store.vault.seal(b"another", "plan_files/p1"))
        )
        with pytest.raises(PlanDamaged, match="digest"):
            tables.plans.file("p1")
        tables.connection.execute(plan_files.update().values(file=b"garbage"))
        with pytest.raises(PlanDamaged, match="not sealed by Towpath"):
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
            tables.locks.lock_targets(*((PROD, TEST) if number % 2 else (TEST, PROD)))
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


def test_the_earliest_time_at_which_people_saw_it_counts(store: Database) -> None:
    """On each platform; and what a Slack user sees there is no news on GitHub."""
    with store.begin() as tables:
        for one in (plan("p1"), plan("p2")):
            tables.plans.add(one, FILE)
        for at in (NOW, NOW + MINUTE, NOW - MINUTE):
            tables.plans.publish(["p1"], at)
        tables.plans.publish(["p1", "p9"], NOW - 2 * MINUTE, in_slack=True)
        shown, other = tables.plans.get("p1"), tables.plans.get("p2")
    assert shown is not None
    assert (shown.published_at, shown.posted_at) == (NOW - MINUTE, NOW - 2 * MINUTE)
    assert shown.visible_since(Origin("d")) == NOW - MINUTE
    assert shown.visible_since(Origin("d", channel="C1")) == NOW - 2 * MINUTE
    assert other is not None
    assert other.visible_since(Origin("d", channel="C1")) is None
