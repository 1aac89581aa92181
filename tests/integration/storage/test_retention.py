"""What is kept for a while only goes, in batches; all else stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.domain.chat import Result
from bot.domain.drift.model import Drift
from bot.domain.ports.inbox import Inbox
from bot.domain.ports.records import Artifact, Ticket
from bot.domain.ports.state import Grant
from bot.domain.ports.store import Code, PlanDamaged, Tables
from bot.domain.ports.surfaces import Surface
from bot.domain.run import Origin
from bot.domain.states.unsaved import Unsaved
from bot.domain.target import Target
from bot.jobs import durable
from bot.jobs.durable import Durable
from bot.render.command_style import CommandStyle
from bot.services.context import Context
from bot.services.maintenance import retention
from bot.services.states.unsaved_expiry import KEPT, NOTICE
from bot.storage.database import Database
from bot.surfaces import reply
from tests.fixtures.context import bare
from tests.integration.storage.samples import (
    FILE,
    MINUTE,
    PROD,
    TEST,
    delivery,
    plan,
    pull,
    release,
    run,
    surface,
)

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
            with suppress(PlanDamaged):
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
    assert retention.delete_expired(context, inbox) == {"plan files": 3}
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
    assert retention.delete_expired(context, inbox) == {}


def test_pages_of_plans(store: Database, context: Context, inbox: Inbox) -> None:
    """They go a quarter after the plan was made, but never while it can be applied."""
    old, young = NOW - retention.PLAN_PAGES - SECOND, NOW - retention.PLAN_PAGES + MINUTE
    with store.begin() as tables:
        tables.pulls.save(pull(7))
        for name, status, made in (
            ("fresh", "fresh", old),
            ("applying", "applying", old),
            ("applied", "applied", old),
            ("young", "applied", young),
        ):
            tables.plans.add(plan(name, status=status, created_at=made), FILE, [b"one", b"two"])
    assert retention.delete_expired(context, inbox) == {"plan files": 2, "plan pages": 1}
    with store.read() as tables:
        found = {name for name in ("fresh", "applying", "applied", "young") if tables.plans.page(name, 2)}
    assert found == {"fresh", "applying", "young"}


def test_logs(store: Database, context: Context, inbox: Inbox) -> None:
    old = NOW - retention.LOGS
    with store.begin() as tables:
        for name, ended in (("old", old - SECOND), ("young", old + MINUTE), ("active", None)):
            tables.runs.add(run(name, finished_at=ended, phase="finished" if ended else "planning"))
            tables.runs.add_log(name, ["one", "two"])
            tables.runs.add_log(name, ["three"])
    assert retention.delete_expired(context, inbox) == {"logs": 1}
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
    assert retention.delete_expired(context, inbox) == {
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


def test_what_was_never_redeemed(store: Database, context: Context, inbox: Inbox) -> None:
    """Links to artifacts and codes to link accounts, once they have expired."""
    with store.begin() as tables:
        for name, until in (("over", NOW), ("good", NOW + MINUTE)):
            tables.artifacts.issue(Ticket(name, "artifact", "ann", until))
            tables.identities.offer(Code(name, "slack", "T1/U1", until))
    assert retention.delete_expired(context, inbox) == {"tickets": 1, "codes": 1}
    with store.begin() as tables:
        assert tables.artifacts.redeem("good", NOW) is not None
        assert tables.identities.redeem("good", NOW) is not None


def test_artifacts_of_instances(store: Database, context: Context, inbox: Inbox) -> None:
    """Once their pull request is closed; what exists once keeps its own."""
    old = NOW - retention.ARTIFACTS
    with store.begin() as tables:
        tables.pulls.save(pull(7, state="merged"))
        tables.pulls.save(pull(8))
        for name, target, number, made in (
            ("closed", TEST, 7, old - SECOND),
            ("young", replace(TEST, instance="pr-70"), 7, old + MINUTE),
            ("open", replace(TEST, instance="pr-8"), 8, old - SECOND),
            ("prod", PROD, 7, old - SECOND),
        ):
            tables.releases.add(replace(release(name, target), pull=number))
            tables.artifacts.keep(Artifact(name, target, name, "kubeconfig", "d", 1, made), b"content")
    assert retention.delete_expired(context, inbox) == {"artifacts": 1}
    with store.read() as tables:
        left = {row.id for row in tables.artifacts.of_repository("acme/infra")}
    assert left == {"young", "open", "prod"}


def drift(drift_id: str, run_id: str, found: datetime, target: Target = PROD) -> Drift:
    return Drift(drift_id, target, run_id, "c1", "release", found, "digest", 1, 0, {})


def test_looks_and_findings(store: Database, context: Context, inbox: Inbox) -> None:
    """A look that found nothing new goes, and in a year what was found; the newest of a target stays."""
    long, ago, young = NOW - retention.FINDINGS - SECOND, NOW - retention.CHECKS - SECOND, NOW - MINUTE
    with store.begin() as tables:
        for name, target, ended in (
            ("older", PROD, long),
            ("found", PROD, ago),
            ("clean", PROD, ago),
            ("logged", PROD, ago),
            ("young", PROD, young),
            ("last", TEST, ago),
            ("under-way", PROD, None),
        ):
            phase = "finished" if ended else "planning"
            tables.runs.add(run(name, kind="drift", target=target, finished_at=ended, phase=phase))
        tables.runs.add(run("applied", kind="apply", finished_at=ago, phase="finished"))
        tables.runs.add_log("logged", ["line"])
        tables.drifts.add(drift("d1", "older", long))
        tables.drifts.add(drift("d2", "found", ago))
        tables.drifts.add(drift("d3", "last", long, TEST))
    gone = retention.delete_expired(context, inbox)
    assert gone.pop("logs") == 1
    assert gone == {"findings": 1, "drift checks": 3}  # older, clean, and logged, whose log goes first
    with store.read() as tables:
        names = {one.id for one in tables.runs.recent("acme/infra", 99)}
        assert [one.id for one in tables.drifts.of_target(PROD, 9)] == ["d2"]
        assert [one.id for one in tables.drifts.of_target(TEST, 9)] == ["d3"]
    assert names == {"found", "young", "last", "under-way", "applied"}


def unsaved(name: str, target: Target, made: datetime) -> Unsaved:
    return Unsaved(name, target, "r1", 7, "c1", "ann", "l", 3, "sha", 4, 2, True, "", made)


def told(context: Context) -> list[Surface]:
    with context.store.read() as tables:
        return [one for one in tables.surfaces.of_pull("acme/infra", 7) if one.kind == "reply"]


def test_states_that_could_not_be_uploaded(store: Database, context: Context, inbox: Inbox) -> None:
    """Pushed ones go soon. The others are kept for a year, and go only when people were told four weeks before."""

    def tell(tables: Tables, origin: Origin, repository: str, number: int, result: Result) -> None:
        reply.queue_reply(tables, clock(), CommandStyle("/infra", number, repository), origin, result)

    at = [NOW]

    def clock() -> datetime:
        return at[0]

    context = replace(context, now=clock, tell=tell, channel="C1")
    soon, old = NOW - retention.PUSHED - SECOND, NOW - KEPT - SECOND
    with store.begin() as tables:
        for name, made, ending, ended in (
            ("open", old, "", None),
            ("overtaken", old, "overtaken", soon),
            ("pushed", old, "pushed", soon),
            ("just-pushed", old, "pushed", NOW),
        ):
            tables.unsaved.keep(unsaved(name, replace(PROD, stack=name), made), b"{}")
            if ending:
                tables.unsaved.end(name, ending, ended or NOW)
    assert retention.delete_expired(context, inbox) == {"pushed states": 1}
    notices = told(context)
    assert [one.wanted["platform"] for one in notices] == ["github", "slack"]
    said = str(notices[0].wanted["body"])
    assert "`/push-state prod open`" in said
    assert f"{NOW + NOTICE:%Y-%m-%d}" in said
    at[0] = NOW + NOTICE + MINUTE
    assert "unsaved states" not in retention.delete_expired(
        context, inbox
    )  # nobody was told yet: it was not posted
    with store.begin() as tables:
        for one in notices:
            tables.surfaces.save(replace(one, due_at=None, settled_at=NOW, digest="posted"))
    gone = retention.delete_expired(context, inbox)
    assert gone["unsaved states"] == 1
    with store.read() as tables:
        assert {one.id for one in tables.unsaved.left()} == {"overtaken"}
        assert tables.unsaved.data("overtaken") == b"{}"
        with pytest.raises(KeyError):
            tables.unsaved.data("open")
        assert [one.action for one in tables.audit.entries()] == ["state.lapsed"]
    at[0] += KEPT - NOTICE
    retention.delete_expired(context, inbox)
    assert any("towpath state unsaved" in str(one.wanted) for one in told(context))


def test_credentials(store: Database, context: Context, inbox: Inbox) -> None:
    with store.begin() as tables:
        for name, until in (("over", NOW), ("good", NOW + SECOND)):
            tables.credentials.issue(name, "password", Grant("key", name, True, until))
    assert retention.delete_expired(context, inbox) == {"credentials": 1}
    with store.read() as tables:
        assert tables.credentials.resolve("over", "password") is None
        assert tables.credentials.resolve("good", "password") is not None


def test_deliveries(store: Database, context: Context, inbox: Inbox) -> None:
    """None that waits for its turn, however old it is."""
    inbox.accept(delivery("done"))
    inbox.accept(delivery("waits"))
    inbox.dispatched(["done"])
    later = replace(context, now=lambda: datetime.now(UTC) + retention.DELIVERIES + MINUTE)
    assert retention.delete_expired(context, inbox) == {}
    assert retention.delete_expired(later, inbox) == {"deliveries": 1}
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
    assert retention.delete_expired(context, inbox) == {"work": 2}
    with store.engine.connect() as connection:
        left = connection.scalars(sa.select(record.c.workflow_uuid))
        assert set(left) == {"young", "queued", "pending"}


def test_small_batches(
    store: Database, context: Context, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each in a transaction of its own, and no more of them in one go than are due to one tick."""
    monkeypatch.setattr(retention, "MAX_BATCHES", 2)
    monkeypatch.setattr(retention, "BATCH", 3)
    with store.begin() as tables:
        for number in range(7):
            tables.credentials.issue(f"c{number}", "p", Grant("key", "r", True, NOW - MINUTE))
    assert retention.delete_expired(context, inbox) == {"credentials": 6}
    assert retention.delete_expired(context, inbox) == {"credentials": 1}
    assert retention.delete_expired(context, inbox) == {}
