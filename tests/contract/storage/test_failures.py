"""How runs failed, and which runs did, on SQLite and on Postgres."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import text

from bot.domain.target import Target
from bot.domain.why import Diagnostic, Failure, Reason
from bot.storage.database import Database
from tests.integration.storage.samples import NOW, PROD, release, run

ERROR = Diagnostic("no such thing", "because of 4711", "infra/main.tf", 3, 5, 'a["b"]', tracked=True)
FAILURE = Failure("r1", "planning", NOW, Reason("", 1, (ERROR, Diagnostic("another"))))
STAGING = Target("acme/infra", "infra", "staging")


def test_a_failure_is_kept_as_it_is_and_encrypted(store: Database) -> None:
    with store.begin() as tables:
        tables.failures.add(FAILURE)
        tables.failures.add(replace(FAILURE, phase="applying"))
    with store.read() as tables:
        assert tables.failures.get("r1") == FAILURE
        assert tables.failures.get("r2") is None
        content = bytes(tables.connection.execute(text("SELECT content FROM failures")).scalar())
    assert b"4711" not in content


def test_old_ones_are_forgotten(store: Database) -> None:
    with store.begin() as tables:
        for number in range(3):
            at = NOW + timedelta(days=number)
            tables.failures.add(replace(FAILURE, run_id=f"r{number}", recorded_at=at))
        assert tables.failures.forget(NOW + timedelta(days=2), 1) == 1
        assert tables.failures.forget(NOW + timedelta(days=2), 9) == 1
        assert tables.failures.get("r2") is not None


def test_the_newest_run_that_failed(store: Database) -> None:
    ended = {"phase": "finished", "finished_at": NOW}
    with store.begin() as tables:
        for made in (
            run("a1", outcome="failed", **ended),
            run("a2", outcome="refused", target=STAGING, **ended),
            run("a3", outcome="cancelled", pull=8, **ended),
            run("a4", outcome="superseded", **ended),
            run("a5", outcome="planned", **ended),
            run("a6", outcome="failed", phase="planning"),
            run("a7", outcome="applied", kind="apply", **ended),
        ):
            tables.runs.add(made)
    with store.read() as tables:
        found = tables.failures.newest_run
        assert _id(found("acme/infra")) == "a3"
        assert _id(found("acme/infra", pull=7)) == "a2"
        assert _id(found("acme/infra", pull=7, environment="prod")) == "a1"
        assert found("acme/infra", environment="dev") is None
        assert found("acme/shop") is None
    with store.begin() as tables:
        tables.releases.add(replace(release("e1"), run_id="a7", verification="failed"))
        assert _id(tables.failures.newest_run("acme/infra")) == "a7"
        assert tables.releases.of_run("a7") is not None
        assert tables.releases.of_run("a1") is None


def test_runs_by_the_beginning_of_their_id(store: Database) -> None:
    with store.begin() as tables:
        for made in (
            run("abc1"),
            run("abc2"),
            run("a_c3"),
            run("abc4", target=Target("acme/shop", "s", "prod")),
        ):
            tables.runs.add(made)
        assert [one.id for one in tables.failures.runs_starting("acme/infra", "abc", 5)] == ["abc2", "abc1"]
        assert [one.id for one in tables.failures.runs_starting("acme/infra", "a_", 5)] == ["a_c3"]
        assert len(tables.failures.runs_starting("acme/infra", "", 2)) == 2


def test_what_succeeded_later(store: Database) -> None:
    first = run("a1", outcome="failed", phase="finished")
    with store.begin() as tables:
        tables.runs.add(run("a0", outcome="planned", phase="finished"))
        tables.runs.add(first)
        assert tables.failures.later_success(first) is None
        tables.runs.add(run("a2", outcome="planned", phase="finished", target=STAGING))
        tables.runs.add(run("a3", outcome="planned", phase="finished", pull=8))
        tables.runs.add(run("a4", outcome="applied", phase="finished", kind="apply"))
        assert tables.failures.later_success(first) is None
        tables.runs.add(run("a5", outcome="planned", phase="finished"))
        assert _id(tables.failures.later_success(first)) == "a5"
        assert first.target == PROD


def _id(found: object) -> str:
    return str(getattr(found, "id", None))
