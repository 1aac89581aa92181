from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.lock import Lock
from bot.storage.database import Database
from tests.integration.storage.samples import (
    BOB,
    MINUTE,
    NOW,
    PROD,
    TEST,
    at_once,
    lock,
    pull,
    repository,
    waiter,
)


def test_saving_a_pull_request_tells_what_was_there(store: Database) -> None:
    with store.begin() as tables:
        assert tables.pulls.save(pull(7)) is None
        assert tables.pulls.save(pull(7, state="closed", merge_sha="c")) == pull(7)
        tables.pulls.save(pull(9))
        tables.pulls.save(pull(8, draft=True))
        tables.pulls.save(pull(8, repository="acme/other"))
    with store.read() as tables:
        assert tables.pulls.get("acme/infra", 7) == pull(7, state="closed", merge_sha="c")
        assert tables.pulls.get("acme/infra", 6) is None
        assert tables.pulls.open("acme/infra") == [pull(8, draft=True), pull(9)]


def test_a_fork_is_trusted_at_one_head(store: Database) -> None:
    with store.begin() as tables:
        for _ in range(2):
            tables.pulls.trust("acme/infra", 7, "abc", "bob")
        assert tables.pulls.trusted("acme/infra", 7, "abc")
        assert not tables.pulls.trusted("acme/infra", 7, "abd")
        assert not tables.pulls.trusted("acme/infra", 8, "abc")


def test_repositories(store: Database) -> None:
    with store.begin() as tables:
        for one in (repository("acme/z"), repository(), replace(repository(), default_branch="trunk")):
            tables.pulls.save_repository(one)
        assert tables.pulls.repository("acme/infra") == replace(repository(), default_branch="trunk")
        assert tables.pulls.repository("acme/none") is None
        assert [one.name for one in tables.pulls.repositories()] == ["acme/infra", "acme/z"]


def test_a_lock_is_replaced_once_it_expired(store: Database) -> None:
    short = lock(7, expires_at=NOW + MINUTE, reason="careful", url="https://example.com")
    with store.begin() as tables:
        assert tables.locks.get(PROD) is None
        assert tables.locks.take(short, NOW) == short
        assert tables.locks.take(lock(8), NOW) == short
        assert tables.locks.take(lock(8), NOW + MINUTE) == lock(8)
        assert tables.locks.take(short, NOW + MINUTE * 99) == lock(8)
        assert tables.locks.get(PROD) == lock(8)
        tables.locks.take(lock(8, TEST), NOW)
        assert tables.locks.of_pull("acme/infra", 8) == [lock(8), lock(8, TEST)]
        assert tables.locks.all("acme/none") == []
        assert tables.locks.all() == tables.locks.all("acme/infra") == [lock(8), lock(8, TEST)]
        assert tables.locks.release(PROD)
        assert not tables.locks.release(PROD)


@pytest.mark.parametrize("expired", [False, True])
def test_a_lock_is_won_once(store: Database, expired: bool) -> None:
    if expired:
        with store.begin() as tables:
            tables.locks.take(lock(99, expires_at=NOW), NOW - MINUTE)

    def take(number: int) -> Lock:
        with store.begin() as tables:
            return tables.locks.take(lock(number + 1), NOW)

    winners = at_once(8, take)
    assert len(winners) == 8
    assert {type(winner) for winner in winners} == {Lock}
    assert len({winner.pull for winner in winners}) == 1
    assert winners[0].pull != 99


def test_a_lock_that_comes_and_goes(store: Database) -> None:
    def take_and_release(number: int) -> int:
        for _ in range(5):
            with store.begin() as tables:
                mine = tables.locks.take(lock(number + 1), NOW).pull == number + 1
            if mine:
                with store.begin() as tables:
                    assert tables.locks.release(PROD)
        return number

    assert sorted(at_once(4, take_and_release)) == [0, 1, 2, 3]
    with store.read() as tables:
        assert tables.locks.get(PROD) is None


def test_waiters_keep_their_place(store: Database) -> None:
    with store.begin() as tables:
        tables.locks.wait(waiter(9, since=NOW + MINUTE))
        tables.locks.wait(waiter(8))
        tables.locks.wait(waiter(8, since=NOW + 9 * MINUTE))
        tables.locks.wait(waiter(8, TEST))
        assert tables.locks.waiters(PROD) == [waiter(8), waiter(9, since=NOW + MINUTE)]
        tables.locks.forget_waiters(repository="acme/infra", pull=9)
        assert tables.locks.waiters(PROD) == [waiter(8)]
        tables.locks.forget_waiters(target=PROD)
        assert tables.locks.waiters(PROD) == []
        assert tables.locks.waiters(TEST) == [waiter(8, TEST)]
        with pytest.raises(ValueError, match="a target or a repository is needed"):
            tables.locks.forget_waiters(pull=8)


def test_a_lock_by_hand(store: Database) -> None:
    by_hand = Lock(PROD, BOB, NOW, reason="moving house")
    with store.begin() as tables:
        assert tables.locks.take(by_hand, NOW) == by_hand
        assert tables.locks.of_pull("acme/infra", 0) == [by_hand]


def test_the_earliest_time_at_which_it_was_at_a_commit_counts(store: Database) -> None:
    with store.begin() as tables:
        for at in (NOW, NOW + MINUTE, NOW - MINUTE):
            tables.pulls.saw_head("acme/infra", 7, "abc", at)
        assert tables.pulls.head_seen("acme/infra", 7, "abc") == NOW - MINUTE
        assert tables.pulls.head_seen("acme/infra", 7, "abd") is None
        assert tables.pulls.head_seen("acme/infra", 8, "abc") is None
