from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.domain.ports.surfaces import Surface
from bot.storage.database import Database
from tests.integration.storage.samples import MINUTE, NOW, at_once, surface

UNTIL = NOW + MINUTE
ID = surface().id


def claim(store: Database, now: datetime = NOW, until: datetime = UNTIL) -> Surface | None:
    with store.begin() as tables:
        return next(iter(tables.surfaces.claim(now, until)), None)


def want(store: Database, wanted: Surface) -> None:
    with store.begin() as tables:
        tables.surfaces.want(wanted)


def get(store: Database) -> Surface | None:
    with store.read() as tables:
        return tables.surfaces.get(ID)


def settle(store: Database, done: Surface, seen: datetime | None) -> None:
    with store.begin() as tables:
        tables.surfaces.settle(done, seen)


def test_wanting_again_keeps_the_earlier_time(store: Database) -> None:
    want(store, surface(wanted={"text": "one"}, due_at=NOW + MINUTE, urgent=False))
    assert get(store) == surface(wanted={"text": "one"}, due_at=NOW + MINUTE, urgent=False)
    want(store, surface(due_at=NOW, urgent=False))
    assert get(store) == surface(wanted={"text": "one"}, due_at=NOW, urgent=False)
    want(store, surface(due_at=NOW + MINUTE, wanted={"text": "two"}, urgent=True))
    assert get(store) == surface(wanted={"text": "two"}, due_at=NOW, urgent=True)


def test_the_most_urgent_is_claimed_first_and_once(store: Database) -> None:
    want(store, surface("a", due_at=NOW - 9 * MINUTE, urgent=False))
    want(store, surface("b", due_at=NOW))
    want(store, surface("c", due_at=NOW - MINUTE))
    want(store, surface("later", due_at=NOW + MINUTE / 2))
    want(store, surface("idle", due_at=None))
    claimed = [claim(store) for _ in range(4)]
    assert [one.id if one else None for one in claimed] == ["c", "b", "a", None]
    assert {one.due_at for one in claimed if one} == {UNTIL}
    again = claim(store, now=UNTIL, until=UNTIL + MINUTE)
    assert again is not None
    assert again.id == "later"


def test_due_surfaces_of_the_same_pull_request_come_with_the_first(store: Database) -> None:
    for name, pull, due_at in [("a", 1, NOW), ("b", 2, NOW), ("c", 1, NOW), ("d", 1, UNTIL), ("e", 1, NOW)]:
        want(store, surface(name, pull=pull, due_at=due_at))
    with store.begin() as tables:
        first, second, third = (tables.surfaces.claim(NOW, UNTIL, most=2) for _ in range(3))
    assert [[one.id for one in claimed] for claimed in (first, second, third)] == [["a", "c"], ["b"], ["e"]]
    assert {one.due_at for one in (*first, *second, *third)} == {UNTIL}


def test_what_belongs_to_no_pull_request_is_claimed_alone(store: Database) -> None:
    for name in ("a", "b"):
        want(store, surface(name, pull=0))
    with store.begin() as tables:
        assert [one.id for one in tables.surfaces.claim(NOW, UNTIL, most=4)] == ["a"]


def test_workers_never_claim_the_same(store: Database) -> None:
    for number in range(6):
        want(store, surface(f"s{number}"))
    claimed = at_once(8, lambda _number: claim(store))
    assert sorted(one.id for one in claimed if one) == [f"s{number}" for number in range(6)]


def test_settling_ends_it(store: Database) -> None:
    want(store, surface(wanted={"text": "one"}))
    claimed = claim(store)
    assert claimed is not None
    with store.begin() as tables:
        tables.surfaces.save(replace(claimed, tried=True))
    assert claim(store, now=NOW + MINUTE / 2) is None
    done = replace(claimed, tried=True, digest="d", external={"comment_id": 5}, due_at=None)
    settle(store, done, claimed.due_at)
    assert get(store) == done
    assert claim(store, now=UNTIL) is None
    want(store, surface(due_at=UNTIL))
    assert claim(store, now=UNTIL) is not None


def test_a_wish_during_the_work_is_not_lost(store: Database) -> None:
    for due_at in (NOW + MINUTE / 4, UNTIL, UNTIL + MINUTE):
        want(store, surface())
        claimed = claim(store)
        assert claimed is not None
        want(store, surface(wanted={"at": str(due_at)}, due_at=due_at))
        assert claim(store, now=NOW + MINUTE / 2) is None
        with store.begin() as tables:
            tables.surfaces.save(replace(claimed, tried=True, wanted={}))
        settle(store, replace(claimed, digest="d", due_at=None), claimed.due_at)
        after = get(store)
        assert after is not None
        assert (after.due_at, after.wanted, after.digest) == (min(due_at, UNTIL), {"at": str(due_at)}, "d")
        last = claim(store, now=UNTIL, until=UNTIL + MINUTE)
        assert last is not None
        settle(store, replace(last, due_at=None), last.due_at)
        assert claim(store, now=UNTIL + 9 * MINUTE) is None


def test_another_worker_takes_over_from_a_dead_one(store: Database) -> None:
    want(store, surface())
    dead = claim(store)
    taken = claim(store, now=UNTIL, until=UNTIL + MINUTE)
    assert dead is not None
    assert taken is not None
    assert taken.id == dead.id
    settle(store, replace(dead, digest="late", due_at=None), dead.due_at)
    assert claim(store, now=UNTIL + MINUTE / 2) is None
    after = get(store)
    assert after is not None
    assert after.due_at == taken.due_at
    settle(store, replace(taken, digest="right", due_at=None), taken.due_at)
    assert get(store) == replace(taken, digest="right", due_at=None)


def test_a_failure_is_tried_later(store: Database) -> None:
    want(store, surface())
    claimed = claim(store)
    assert claimed is not None
    settle(store, replace(claimed, attempts=1, error="503", due_at=NOW + 9 * MINUTE), claimed.due_at)
    assert claim(store, now=NOW + 8 * MINUTE) is None
    again = claim(store, now=NOW + 9 * MINUTE, until=NOW + 10 * MINUTE)
    assert again is not None
    assert (again.attempts, again.error) == (1, "503")


def test_those_of_a_pull_request(store: Database) -> None:
    with store.begin() as tables:
        for one in (surface("b"), surface("a", kind="check"), surface("c", pull=8)):
            tables.surfaces.save(one)
        assert [one.id for one in tables.surfaces.of_pull("acme/infra", 7)] == ["a", "b"]
        assert [one.id for one in tables.surfaces.of_pull("acme/infra", 7, "check")] == ["a"]
        tables.surfaces.save(surface("a", kind="check", due_at=None, urgent=False))
        assert tables.surfaces.get("a") == surface("a", kind="check", due_at=None, urgent=False)
