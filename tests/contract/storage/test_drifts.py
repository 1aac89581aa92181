"""What looks for drift found, on SQLite and on Postgres."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.domain.drift import Baseline, Drift
from bot.domain.target import Target
from bot.storage.database import Database
from tests.integration.storage.samples import MINUTE, NOW, PROD, TEST, run


def drift(drift_id: str = "x1", target: Target = PROD, **more: Any) -> Drift:
    facts: dict[str, Any] = {
        "run_id": "r1",
        "commit": "c1",
        "release_id": "e1",
        "found_at": NOW,
        "digest": "d" * 64,
        "outside": 2,
        "pending": 1,
        "summary": {"drift": [{"address": "größe.web"}], "outputs": []},
    }
    return Drift(drift_id, target, **facts | more)


def test_they_come_back_as_they_were(store: Database) -> None:
    with store.begin() as tables:
        tables.drifts.add(drift())
        tables.drifts.add(drift(digest="another"))
        assert tables.drifts.get("x1") == drift()
        assert tables.drifts.get("x2") is None


def test_the_newest_of_each_target(store: Database) -> None:
    """By the order of their coming in: clocks may differ."""
    newer = drift("x0", found_at=NOW - MINUTE, digest="")
    elsewhere = replace(PROD, repository="acme/shop")
    with store.begin() as tables:
        for one in (drift(), newer, drift("x3", TEST)):
            tables.drifts.add(one)
        assert tables.drifts.newest(PROD) == newer
        assert tables.drifts.newest(elsewhere) is None
        assert tables.drifts.of_target(PROD, 5) == [newer, drift()]
        assert tables.drifts.of_target(PROD, 1) == [newer]
        assert tables.drifts.newest_of([PROD, TEST, elsewhere]) == {PROD: newer, TEST: drift("x3", TEST)}


def test_a_look_is_no_run_of_its_pull_request(store: Database) -> None:
    """What a pull request last planned or applied there stays its newest run."""
    plan = run("p1", target=PROD, pull=7)
    look, of_nobody = (
        run(name, target=PROD, pull=pull, kind="drift") for name, pull in (("d1", 7), ("d2", 0))
    )
    with store.begin() as tables:
        for one in (plan, look, of_nobody):
            tables.runs.add(one)
        assert tables.runs.newest(PROD) == tables.runs.newest(PROD, pull=7) == plan
        assert tables.runs.newest_of([PROD], pull=7) == {PROD: plan}
        assert tables.runs.newest(PROD, kind="drift") == of_nobody
        assert tables.runs.drift_checks_of([PROD, TEST]) == {PROD: of_nobody}


def test_a_baseline_counts_for_one_state(store: Database) -> None:
    """The next one replaces it."""
    first = Baseline(PROD, "lineage", 3, NOW, {'["größe.web", "tags"]': "d" * 64})
    with store.begin() as tables:
        tables.baselines.record(first)
        assert tables.baselines.at(PROD, "lineage", 3) == first
        assert tables.baselines.at(PROD, "lineage", 4) is None
        assert tables.baselines.at(PROD, "another", 3) is None
        assert tables.baselines.at(TEST, "lineage", 3) is None
        tables.baselines.record(replace(first, serial=4, values={}))
        assert tables.baselines.at(PROD, "lineage", 3) is None
        assert tables.baselines.at(PROD, "lineage", 4) == replace(first, serial=4, values={})
