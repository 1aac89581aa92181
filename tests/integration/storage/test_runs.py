from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.run import Run
from bot.storage.database import Database
from tests.integration.storage.samples import MINUTE, NOW, PROD, TEST, at_once, run


def add(store: Database, *runs: Run) -> None:
    with store.begin() as tables:
        for one in runs:
            tables.runs.add(one)


def test_a_run_comes_back_as_it_was(store: Database) -> None:
    whole = run(outcome="planned", started_at=NOW, finished_at=NOW + MINUTE, phase="finished")
    add(store, whole, run("r2", created_at=None))
    with store.read() as tables:
        assert tables.runs.get("r1") == whole
        assert tables.runs.get("r2") == run("r2", created_at=None)
        assert tables.runs.get("r3") is None


def test_update_changes_what_is_named(store: Database) -> None:
    add(store, run())
    with store.begin() as tables:
        changed = tables.runs.update("r1", phase="planning", progress={"b": "done"}, started_at=NOW)
        assert changed == replace(run(), phase="planning", progress={"b": "done"}, started_at=NOW)
        assert tables.runs.update("r1") == changed
        with pytest.raises(KeyError):
            tables.runs.update("r2", phase="planning")


def test_finds_active_newest_and_recent(store: Database) -> None:
    add(
        store,
        run("old", phase="finished"),
        run("plan"),
        run("apply", kind="apply", pull=8),
        run("test", target=TEST),
        run("other", target=replace(PROD, repository="acme/other")),
    )

    def ids(runs: list[Run]) -> list[str]:
        return [one.id for one in runs]

    with store.read() as tables:
        active = tables.runs.active
        assert ids(active()) == ["plan", "apply", "test", "other"]
        assert ids(active(target=PROD)) == ["plan", "apply"]
        assert ids(active(repository="acme/infra", pull=7)) == ["plan", "test"]
        assert ids(active(kind="apply")) == ["apply"]
        assert ids(tables.runs.recent("acme/infra", 3)) == ["test", "apply", "plan"]
        newest = tables.runs.newest
        assert [newest(PROD), newest(PROD, pull=7), newest(PROD, kind="apply"), newest(TEST, pull=8)] == [
            run("apply", kind="apply", pull=8),
            run("plan"),
            run("apply", kind="apply", pull=8),
            None,
        ]


def test_move_is_won_once(store: Database) -> None:
    add(store, run())

    def move(number: int) -> bool:
        with store.begin() as tables:
            return tables.runs.move("r1", ["queued", "preparing"], "applying", worker=f"w{number}")

    assert sorted(at_once(8, move)) == [False] * 7 + [True]
    with store.begin() as tables:
        moved = tables.runs.get("r1")
        assert moved is not None
        assert (moved.phase, moved.worker[:1]) == ("applying", "w")
        assert not tables.runs.move("r2", ["queued"], "applying")


def test_a_log_is_read_from_any_line(store: Database) -> None:
    add(store, run())
    with store.begin() as tables:
        assert tables.runs.log("r1") == (0, [])
        tables.runs.add_log("r1", ["one", "two ✓"])
        tables.runs.add_log("r1", [])
        tables.runs.add_log("r1", ["three", ""])
        with pytest.raises(KeyError):
            tables.runs.add_log("r2", ["lost"])
    with store.read() as tables:
        assert tables.runs.log("r1") == (4, ["one", "two ✓", "three", ""])
        assert tables.runs.log("r1", 1) == (4, ["two ✓", "three", ""])
        assert tables.runs.log("r1", 2) == (4, ["three", ""])
        assert tables.runs.log("r1", 4) == (4, [])


def test_a_log_takes_many_writers(store: Database) -> None:
    add(store, run())

    def write(number: int) -> None:
        with store.begin() as tables:
            tables.runs.add_log("r1", [f"{number}a", f"{number}b"])

    assert at_once(6, write) == [None] * 6
    with store.read() as tables:
        position, lines = tables.runs.log("r1")
    assert position == 12
    assert sorted(lines) == sorted(f"{number}{letter}" for number in range(6) for letter in "ab")
    assert all(one[0] == two[0] for one, two in zip(lines[::2], lines[1::2], strict=True))
