"""Syncs, on SQLite and on Postgres."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.domain.sync import Sync
from bot.domain.target import Target
from bot.storage.database import Database
from tests.integration.storage.samples import FILE, NOW, PROD, TEST, plan, pull


def sync(sync_id: str = "s1", target: Target = PROD, **more: Any) -> Sync:
    facts: dict[str, Any] = {"commit": "c1", "pulls": (7, 8), "mode": "apply", "created_at": NOW}
    return Sync(sync_id, target, **facts | more)


def test_they_come_back_as_they_were(store: Database) -> None:
    with store.begin() as tables:
        assert tables.syncs.add(sync())
        assert not tables.syncs.add(sync(commit="another"))
        assert tables.syncs.get("s1") == sync()
        assert tables.syncs.get("s2") is None
        tables.syncs.update("s1", seen="c2", pulls=(7,))
        assert tables.syncs.get("s1") == sync(seen="c2", pulls=(7,))


def test_a_status_is_left_once(store: Database) -> None:
    with store.begin() as tables:
        tables.syncs.add(sync())
        assert tables.syncs.move("s1", ["planning"], "differs", news=True)
        assert not tables.syncs.move("s1", ["planning"], "in_sync")
        assert tables.syncs.get("s1") == sync(status="differs", news=True)


def test_the_newest_of_a_target_and_of_a_pull_request(store: Database) -> None:
    first, second, other = sync(), sync("s2", pulls=(9,), status="waiting"), sync("s3", TEST)
    elsewhere = replace(PROD, repository="acme/shop")
    with store.begin() as tables:
        for one in (first, second, other):
            tables.syncs.add(one)
        assert tables.syncs.newest(PROD) == second
        assert tables.syncs.newest(elsewhere) is None
        assert tables.syncs.newest_of([PROD, TEST, elsewhere]) == {PROD: second, TEST: other}
        assert tables.syncs.of_target(PROD, 5) == [second, first]
        assert tables.syncs.of_pull([PROD, TEST, elsewhere], 7, 5) == {PROD: first, TEST: other}
        assert tables.syncs.of_pull([PROD], 7, 1) == {}
        assert tables.syncs.in_status("waiting", "planning") == [first, second, other]


def test_the_plan_of_main_is_kept_after_the_merge(store: Database) -> None:
    """Its worktree, and its file, though the pull request is merged."""
    with store.begin() as tables:
        tables.pulls.save(pull(state="merged"))
        tables.plans.add(plan("p1"), FILE)
        tables.plans.add(plan("p2", sync="s1"), FILE)
        assert tables.plans.worktrees() == {"/worktrees/p2"}
        tables.plans.forget_files(NOW.replace(year=2031), 10)
        kept = [one.status for one in tables.plans.of_pull(PROD, 7, 5)]
    assert kept == ["fresh", "discarded"]
