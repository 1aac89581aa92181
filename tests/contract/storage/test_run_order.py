"""Two applies of two pull requests that end at once in two workers: what comes after both starts, and starts once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from bot.domain.run import Origin, Outcome, Run
from bot.domain.target import Target
from bot.services.runs import RunEnd, finish_in
from bot.storage.database import Database
from tests.fixtures.context import bare
from tests.integration.storage import samples

OVERLAP = 0.3
"""Seconds for which the first transaction is kept open, unless the second one ends meanwhile."""


class Queue:
    """Keeps what it got."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def enqueue(self, run: Run, _tables: object) -> None:
        self.ids.append(run.id)


@pytest.mark.parametrize("second", ["applied", "failed"])
def test_two_that_end_at_once(store: Database, tmp_path: Path, second: Outcome) -> None:
    queue = Queue()
    context = bare(store, tmp_path, work=queue)
    dns, network = (
        samples.run(
            name,
            kind="apply",
            target=Target("acme/infra", name, "staging"),
            pull=pull,
            phase="recording",
            origin=Origin(),
            progress={},
        )
        for name, pull in (("dns", 8), ("network", 7))
    )
    app = samples.run(
        "app",
        kind="apply",
        target=Target("acme/infra", "app", "staging"),
        after=("dns", "network"),
        progress={},
    )
    with store.begin() as tables:
        for run in (dns, network, app):
            tables.runs.add(run)
    begun, ended = threading.Event(), threading.Event()

    def end(number: int) -> None:
        if number:
            begun.wait()
            with store.begin() as tables:
                finish_in(context, tables, network, RunEnd(second))
            ended.set()
            return
        with store.begin() as tables:
            finish_in(context, tables, dns, RunEnd("applied"))
            begun.set()
            ended.wait(OVERLAP)

    assert samples.at_once(2, end) == [None, None]
    with store.read() as tables:
        row = tables.runs.get("app")
    assert row is not None
    if second == "failed":
        assert (row.outcome, queue.ids) == ("refused", [])
    else:
        assert (row.phase, row.after, queue.ids) == ("queued", (), ["app"])
