"""An entry exists if and only if the change that it describes does, and names whoever made it."""

from __future__ import annotations

import pytest

from bot.domain.actors import SYSTEM, Actor
from bot.domain.audit import FIRST
from bot.domain.lock import Lock
from bot.services.audit import AuditSubject, record, record_run
from bot.services.context import Context
from tests.unit.services.conftest import NOW
from tests.unit.services.world import ANN, HEAD, STAGING, World


@pytest.fixture
def world(context: Context) -> World:
    return World(context)


def test_it_says_who_from_where_about_what(world: World) -> None:
    actor = Actor("ann", slack="T1/U1", via="slack")
    with world.context.store.begin() as tables:
        record(
            world.context, tables, "lock.taken", actor, AuditSubject(STAGING, 7, "r1"), reason="maintenance"
        )
    (entry,) = world.audit
    assert (entry.at, entry.action, entry.login, entry.slack, entry.via) == (
        NOW,
        "lock.taken",
        "ann",
        "T1/U1",
        "slack",
    )
    assert (entry.repository, entry.target, entry.pull, entry.run_id) == ("acme/infra", STAGING.key, 7, "r1")
    assert entry.facts == {"reason": "maintenance"}


def test_without_a_subject_it_names_none(world: World) -> None:
    with world.context.store.begin() as tables:
        record(world.context, tables, "retention", SYSTEM, AuditSubject())
    (entry,) = world.audit
    assert (entry.repository, entry.target, entry.pull, entry.run_id, entry.via) == ("", "", 0, "", "system")


def test_a_runs_entry_is_its_requesters_and_has_its_commit(world: World) -> None:
    run = world.keep_run()
    with world.context.store.begin() as tables:
        record_run(world.context, tables, "apply.started", run, plan="digest")
        record_run(world.context, tables, "apply.ended", run, commit="other")
    started, ended = world.audit
    assert (started.login, started.target, started.pull, started.run_id) == ("ann", STAGING.key, 7, "r1")
    assert started.facts == {"commit": HEAD, "plan": "digest"}
    assert ended.facts == {"commit": "other"}


def test_a_transaction_that_fails_leaves_neither_the_change_nor_its_entry(world: World) -> None:
    def lock_and_fail() -> None:
        with world.context.store.begin() as tables:
            tables.locks.take(Lock(STAGING, ANN, NOW, pull=7), NOW)
            record(world.context, tables, "lock.taken", ANN, AuditSubject(STAGING))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lock_and_fail()
    assert world.lock_of() is None
    assert world.audit == []


def test_it_is_added_last_since_it_blocks_all_other_writers_of_the_record(world: World) -> None:
    with world.context.store.begin() as tables:
        record(world.context, tables, "one", ANN, AuditSubject())
        assert tables.audit.head() is None
        record(world.context, tables, "two", ANN, AuditSubject())
    one, two = world.audit
    assert (one.number, one.action, one.previous) == (1, "one", FIRST)
    assert (two.number, two.action, two.previous) == (2, "two", one.digest)
    assert two.compute() == two.digest
