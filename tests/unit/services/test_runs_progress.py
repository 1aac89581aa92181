"""Progress reaches the rows at a pace that the database stands, and a stop reaches Terraform; an outage stops neither."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from bot.domain.ports.terraform import Progress
from bot.errors import TransientError
from bot.services.context import Context
from bot.services.runs import progress
from bot.services.runs.progress import FLUSH, MAX_LINES, ProgressRecorder
from tests.unit.services.world import World

STARTED = Progress("t.a: Creating...", "t.a", "started", "create", 0.04)
DONE = Progress("t.a: Creation complete", "t.a", "done", "create", 2.0)


class Seconds:
    """The monotonic clock that the recorder reads."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    clock = Seconds()
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


class Outages:
    """A store that does not answer while it is down."""

    def __init__(self, store: Any) -> None:
        self.store, self.down = store, False

    @contextmanager
    def begin(self) -> Iterator[Any]:
        if self.down:
            raise TransientError("no answer")
        with self.store.begin() as tables:
            yield tables

    @contextmanager
    def read(self) -> Iterator[Any]:
        if self.down:
            raise TransientError("no answer")
        with self.store.read() as tables:
            yield tables


@pytest.fixture
def store(context: Context) -> Outages:
    return Outages(context.store)


@pytest.fixture
def world(context: Context, store: Outages, seconds: Seconds) -> World:
    """Terraform of `r1` runs."""
    made = World(context)
    made.keep_run(phase="applying")
    stored: Any = store
    made.context = replace(made.context, store=stored)
    return made


@pytest.fixture
def recorder(world: World) -> ProgressRecorder:
    journal = world.context.data_dir / "journal"
    return ProgressRecorder(world.context, world.run(), journal, timedelta(minutes=90), ["s3cret"])


def lines(world: World) -> list[str]:
    with world.context.store.read() as tables:
        return tables.runs.log("r1")[1]


def test_the_control_has_the_limits_and_the_values_to_hide(recorder: ProgressRecorder) -> None:
    assert recorder.control.timeout == 5400.0
    assert recorder.control.secrets == ["s3cret"]
    assert not recorder.control.cancelled()


def test_lines_are_gathered_and_written_together(
    world: World, recorder: ProgressRecorder, seconds: Seconds
) -> None:
    recorder.control.on_progress(STARTED)
    assert lines(world) == []
    seconds.now += FLUSH
    recorder.control.on_progress(DONE)
    assert lines(world) == [STARTED.line, DONE.line]
    assert world.run().progress == {"t.a": {"state": "done", "action": "create", "elapsed": 2.0}}


def test_what_is_left_is_written_at_the_end(world: World, recorder: ProgressRecorder) -> None:
    with recorder:
        recorder.control.on_progress(Progress("one"))
    assert lines(world) == ["one"]
    recorder.flush()
    assert lines(world) == ["one"]


def test_what_was_started_and_not_completed(recorder: ProgressRecorder) -> None:
    recorder.control.on_progress(STARTED)
    assert recorder.unfinished == ["t.a"]
    recorder.control.on_progress(replace(STARTED, address="t.b", state="failed"))
    recorder.control.on_progress(DONE)
    assert recorder.unfinished == ["t.b"]


# when it is shown


def test_it_is_shown_after_5_and_10_seconds_and_then_every_30(
    world: World, recorder: ProgressRecorder, seconds: Seconds
) -> None:
    shown = []
    for second in range(1, 101):
        seconds.now = 100.0 + second
        recorder.control.on_progress(replace(STARTED, elapsed=float(second)))
        if world.due():
            shown.append(second)
            with world.context.store.begin() as tables:
                tables.connection.exec_driver_sql("DELETE FROM surfaces")
    assert shown == [5, 10, 30, 60, 90]


# stopping


@pytest.mark.parametrize("row", [{"cancel_by": "bob"}, {"superseded_by": "r2"}])
def test_a_stop_is_seen_within_one_interval_and_stays(
    world: World, recorder: ProgressRecorder, seconds: Seconds, row: dict[str, str]
) -> None:
    with world.context.store.begin() as tables:
        tables.runs.update("r1", **row)
    assert not recorder.control.cancelled()  # the row was read less than an interval ago
    seconds.now += FLUSH
    assert recorder.control.cancelled()
    with world.context.store.begin() as tables:
        tables.runs.update("r1", cancel_by="", superseded_by="")
    seconds.now += FLUSH
    assert recorder.control.cancelled()


def test_looking_for_a_stop_also_writes_what_is_left(
    world: World, recorder: ProgressRecorder, seconds: Seconds
) -> None:
    """A Terraform that prints nothing for long is asked for a stop all the same."""
    recorder.control.on_progress(Progress("the last line for now"))
    seconds.now += FLUSH
    assert not recorder.control.cancelled()
    assert lines(world) == ["the last line for now"]


# outages


def test_an_outage_neither_stops_terraform_nor_loses_what_it_said(
    world: World, recorder: ProgressRecorder, seconds: Seconds, store: Outages
) -> None:
    store.down = True
    for item in (STARTED, DONE):
        seconds.now += FLUSH
        recorder.control.on_progress(item)
        assert not recorder.control.cancelled()
    store.down = False
    recorder.flush()
    assert lines(world) == [STARTED.line, DONE.line]
    assert world.run().progress["t.a"]["state"] == "done"


def test_a_long_outage_keeps_the_newest_lines(
    world: World, recorder: ProgressRecorder, store: Outages, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_LINES == 10_000
    monkeypatch.setattr(progress, "MAX_LINES", 2)
    store.down = True
    for line in ("one", "two", "three"):
        recorder.control.on_progress(Progress(line))
        recorder.flush()
    store.down = False
    recorder.flush()
    assert lines(world) == ["two", "three"]


def test_an_error_that_is_no_outage_is_not_hidden(
    recorder: ProgressRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_facts: object) -> Any:
        raise ValueError("a bug")

    monkeypatch.setattr(Outages, "begin", fail)
    recorder.control.on_progress(Progress("one"))
    with pytest.raises(ValueError, match="a bug"):
        recorder.flush()
