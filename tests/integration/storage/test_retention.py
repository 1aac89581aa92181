"""What is kept for a while only goes, in batches; all else stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.domain.ports.state import Grant
from bot.domain.ports.store import Inbox
from bot.runs import durable
from bot.runs.durable import Durable
from bot.services import retention
from bot.services.context import Context
from bot.storage.database import Database
from tests.fixtures.context import bare
from tests.integration.storage.samples import MINUTE, delivery, plan, pull, run, surface

NOW = datetime.now(UTC)
"""The inbox and the queues keep times by their own clock."""
SECOND = timedelta(seconds=1)


@pytest.fixture
def work(store: Database) -> Iterator[Durable]:
    """The queues' client in `store`, with nobody who takes anything up."""
    durable.migrate(store.engine)
    made = Durable(store.engine, "here", 1)
    made.connect()
    yield made
    made.stop()


@pytest.fixture
def context(store: Database, work: Durable, tmp_path: Path) -> Context:
    return bare(store, tmp_path, work=work, now=lambda: NOW)


def kept_files(store: Database, *names: str) -> set[str]:
    found = set()
    with store.read() as tables:
        for name in names:
            with suppress(KeyError):
                tables.plans.file(name)
                found.add(name)
    return found


def test_files_of_plans(store: Database, context: Context, inbox: Inbox) -> None:
    """They go once nothing can be done with them, never those of a plan that is fresh or being applied."""
    old, young = NOW - retention.PLAN_FILES - SECOND, NOW - retention.PLAN_FILES + MINUTE
    with store.begin() as tables:
        tables.pulls.save(pull(7))
        tables.pulls.save(pull(8, state="closed"))
        tables.runs.add(run())
        for name, status, number, made in (
            ("fresh", "fresh", 7, old),
            ("no-pull", "fresh", 0, old),
            ("unknown-pull", "fresh", 9, old),
            ("applying", "applying", 8, old),
            ("replaced", "superseded", 7, old),
            ("applied", "applied", 7, old),
            ("closed", "fresh", 8, old),
            ("young", "superseded", 7, young),
            ("young-closed", "fresh", 8, young),
        ):
            made_plan = plan(name, b"file of " + name.encode(), status=status, pull=number, created_at=made)
            tables.plans.add(made_plan, b"file of " + name.encode())
    names = ("fresh", "no-pull", "unknown-pull", "applying", "replaced", "applied", "closed")
    assert retention.forget(context, inbox) == {"plan files": 3}
    assert kept_files(store, *names, "young", "young-closed") == {
        *("fresh", "no-pull", "unknown-pull", "applying", "young", "young-closed")
    }
    with store.read() as tables:
        states = {name: tables.plans.get(name) for name in names}
    assert {name: row.status for name, row in states.items() if row} == {
        "fresh": "fresh",
        "no-pull": "fresh",
        "unknown-pull": "fresh",
        "applying": "applying",
        "replaced": "superseded",
        "applied": "applied",
        "closed": "discarded",  # else it would be offered again when the pull request is reopened
    }
    assert retention.forget(context, inbox) == {}


def test_logs(store: Database, context: Context, inbox: Inbox) -> None:
    old = NOW - retention.LOGS
    with store.begin() as tables:
        for name, ended in (("old", old - SECOND), ("young", old + MINUTE), ("active", None)):
            tables.runs.add(run(name, finished_at=ended, phase="finished" if ended else "planning"))
            tables.runs.add_log(name, ["one", "two"])
            tables.runs.add_log(name, ["three"])
    assert retention.forget(context, inbox) == {"logs": 1}
    with store.read() as tables:
        assert tables.runs.log("old") == (0, [])
        assert tables.runs.get("old") is not None
        assert {tables.runs.log(name)[0] for name in ("young", "active")} == {3}


def test_answers_outlive_deliveries() -> None:
    """They are what keeps a delivery's commands from being run twice."""
    assert retention.ANSWERS > retention.DELIVERIES
    assert retention.WORK >= retention.DELIVERIES


def test_surfaces(store: Database, context: Context, inbox: Inbox) -> None:
    """Answers, reactions and the queue's checks go when they are long done; what is one of a kind stays."""
    long = NOW - timedelta(days=400)
    shown = surface(due_at=None, settled_at=long)
    edge = NOW - retention.ANSWERS
    with store.begin() as tables:
        for row in (
            replace(shown, id="reply:old", kind="reply"),
            replace(shown, id="reply:due", kind="reply", due_at=NOW),
            replace(shown, id="reply:young", kind="reply", settled_at=edge + MINUTE),
            replace(shown, id="reply:never", kind="reply", settled_at=None),
            replace(shown, id="reaction:old", kind="reaction", settled_at=edge - SECOND),
            replace(shown, id="queue:old", kind="queue", settled_at=NOW - retention.GROUPS - SECOND),
            replace(shown, id="queue:young", kind="queue", settled_at=NOW - MINUTE),
            replace(shown, id="status:old"),
            replace(shown, id="check:old", kind="check"),
            replace(shown, id="deployment:old", kind="deployment"),
            replace(shown, id="card:old", kind="card"),
        ):
            tables.surfaces.save(row)
    assert retention.forget(context, inbox) == {
        "reply surfaces": 1,
        "reaction surfaces": 1,
        "queue surfaces": 1,
    }
    with store.read() as tables:
        left = [row.id for row in tables.surfaces.of_pull("acme/infra", 7)]
    assert left == [
        *("card:old", "check:old", "deployment:old", "queue:young"),
        *("reply:due", "reply:never", "reply:young", "status:old"),
    ]


def test_credentials(store: Database, context: Context, inbox: Inbox) -> None:
    with store.begin() as tables:
        for name, until in (("over", NOW), ("good", NOW + SECOND)):
            tables.credentials.issue(name, "password", Grant("key", name, True, until))
    assert retention.forget(context, inbox) == {"credentials": 1}
    with store.read() as tables:
        assert tables.credentials.resolve("over", "password") is None
        assert tables.credentials.resolve("good", "password") is not None


def test_deliveries(store: Database, context: Context, inbox: Inbox) -> None:
    """None that waits for its turn, however old it is."""
    inbox.accept(delivery("done"))
    inbox.accept(delivery("waits"))
    inbox.dispatched(["done"])
    later = replace(context, now=lambda: datetime.now(UTC) + retention.DELIVERIES + MINUTE)
    assert retention.forget(context, inbox) == {}
    assert retention.forget(later, inbox) == {"deliveries": 1}
    assert [one.id for one in inbox.pending(9)] == ["waits"]


def test_the_queues_own_record(store: Database, context: Context, work: Durable, inbox: Inbox) -> None:
    """Work that ended long ago goes; what is queued or under way stays, however old."""
    names = ("ended", "failed", "young", "queued", "pending")
    with store.begin() as tables:
        for name in names:
            tables.runs.add(made := run(name))
            work.enqueue(made, tables)
    record = sa.table(
        "workflow_status",
        *(sa.column(name) for name in ("workflow_uuid", "status", "completed_at", "created_at")),
        schema=None if store.dialect == "sqlite" else "dbos",
    )
    old = int((NOW - retention.WORK - MINUTE).timestamp() * 1000)
    with store.engine.begin() as connection:
        for name, status, at in (
            ("ended", "SUCCESS", old),
            ("failed", "ERROR", old),
            ("young", "SUCCESS", int((NOW - retention.WORK + MINUTE).timestamp() * 1000)),
            ("pending", "PENDING", None),
        ):
            row = record.update().where(record.c.workflow_uuid == name)
            connection.execute(row.values(status=status, completed_at=at))
        connection.execute(record.update().values(created_at=1))
    assert retention.forget(context, inbox) == {"work": 2}
    with store.engine.connect() as connection:
        left = connection.scalars(sa.select(record.c.workflow_uuid))
        assert set(left) == {"young", "queued", "pending"}


def test_small_batches(
    store: Database, context: Context, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each in a transaction of its own, and no more of them in one go than are due to one tick."""
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(retention, "MOST", 3)
    with store.begin() as tables:
        for number in range(7):
            tables.credentials.issue(f"c{number}", "p", Grant("key", "r", True, NOW - MINUTE))
    assert retention.forget(context, inbox) == {"credentials": 6}
    assert retention.forget(context, inbox) == {"credentials": 1}
    assert retention.forget(context, inbox) == {}
