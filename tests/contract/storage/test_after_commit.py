"""What a transaction marks is woken once it commits: surfaces that became due, queues that got work."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.ports.surfaces import Surface
from bot.jobs.durable import Durable, migrate
from bot.storage.database import Database
from tests.integration.storage.samples import run

NOW = datetime.now(UTC)


@pytest.fixture
def woken(store: Database) -> list[str]:
    """The topics that were woken, in order; each is called only while nothing is locked."""
    seen: list[str] = []

    def wake(topic: str) -> None:
        with store.begin() as tables:  # would never get its turn within the transaction that woke it
            tables.locks.all()
        seen.append(topic)

    for topic in ("surfaces", "plans", "applies", "inbox"):
        store.listen(topic, lambda topic=topic: wake(topic))
    return seen


@pytest.fixture
def work(store: Database) -> Iterator[Durable]:
    migrate(store.engine)
    made = Durable(store.engine, "here", 1)
    made.connect()
    yield made
    made.stop()


def status(due_at: datetime) -> Surface:
    return Surface("status:acme/infra#1", "status", "acme/infra#1", "acme/infra", 1, due_at=due_at)


def test_a_surface_that_is_due_wakes_the_projector(store: Database, woken: list[str]) -> None:
    with store.begin() as tables:
        tables.surfaces.want(status(NOW))
        tables.surfaces.want(status(NOW))
        assert woken == []
    assert woken == ["surfaces"]


def test_one_that_is_due_later_does_not(store: Database, woken: list[str]) -> None:
    with store.begin() as tables:
        tables.surfaces.want(status(NOW + timedelta(hours=1)))
    assert woken == []


def test_a_rollback_wakes_nobody(store: Database, woken: list[str], work: Durable) -> None:
    def fail() -> None:
        with store.begin() as tables:
            tables.surfaces.want(status(NOW))
            work.enqueue(run("r1"), tables)
            raise RuntimeError("rolled back")

    with pytest.raises(RuntimeError, match="rolled back"):
        fail()
    assert woken == []


@pytest.mark.parametrize(("kind", "queue"), [("plan", "plans"), ("apply", "applies"), ("drift", "plans")])
def test_enqueued_work_wakes_its_queue(
    store: Database, woken: list[str], work: Durable, kind: str, queue: str
) -> None:
    with store.begin() as tables:
        work.enqueue(run("r1", kind=kind), tables)
    assert woken == [queue]
