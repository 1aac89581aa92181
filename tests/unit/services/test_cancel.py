"""`/cancel`: whose runs end, whose are asked to stop, and what is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.actors import SYSTEM, Actor, Role
from bot.domain.audit import Entry
from bot.domain.chat import Notice, Result
from bot.domain.run import Origin, Run
from bot.domain.target import Target
from bot.services.context import Context
from bot.services.runs import cancel_runs
from tests.fixtures.refusals import refusal_of
from tests.integration.storage import samples

STAGING = Target("acme/infra", "infra", "staging")
ANN, BOB, CAROL = Actor("ann"), Actor("bob"), Actor("carol")
PULL = samples.pull(7, author="ann")
STOPPING = "Terraform finishes the operations in progress and saves the state."
SHOWN = "The status comment will show the result."


class Work:
    """Notes what is enqueued."""

    def __init__(self) -> None:
        self.runs: list[str] = []

    def enqueue(self, run: Run, _tables: object) -> None:
        self.runs.append(run.id)


@pytest.fixture
def world(context: Context) -> Context:
    work: Any = Work()
    with context.store.begin() as tables:
        tables.pulls.save(PULL)
    return replace(context, work=work)


def add(world: Context, run_id: str = "r1", **more: Any) -> None:
    facts: dict[str, Any] = {"actor": BOB, "target": STAGING, "origin": Origin("d1", comment=55)}
    with world.store.begin() as tables:
        tables.runs.add(samples.run(run_id, **facts | more))


def cancel(world: Context, actor: Actor = BOB, role: Role = "write") -> Result:
    return cancel_runs(world, PULL, actor, role)


def row(world: Context, run_id: str = "r1") -> Run:
    with world.store.read() as tables:
        found = tables.runs.get(run_id)
    assert found is not None
    return found


def audit(world: Context) -> list[Entry]:
    with world.store.read() as tables:
        return list(tables.audit.entries())


def test_a_queued_run_ends(world: Context) -> None:
    add(world)
    assert cancel(world) == Notice("Cancelled the queued plan of staging.", SHOWN)
    run = row(world)
    assert (run.phase, run.outcome) == ("finished", "cancelled")
    assert run.message == "Cancelled by @bob before it started."
    with world.store.read() as tables:
        reaction = tables.surfaces.get("reaction:acme/infra/55")
        assert tables.surfaces.get("status:acme/infra#7") is not None
    assert reaction is not None
    assert reaction.wanted["reaction"] == "-1"


@pytest.mark.parametrize("phase", ["preparing", "planning", "applying"])
def test_a_running_one_is_asked_to_stop(world: Context, phase: str) -> None:
    """It ends itself, so that the state is saved; the record says who asked."""
    add(world, kind="apply", phase=phase)
    assert cancel(world) == Notice(f"Stopping the apply of staging: {STOPPING}", SHOWN)
    run = row(world)
    assert (run.phase, run.outcome, run.cancel_by) == (phase, None, "bob")
    (entry,) = audit(world)
    assert (entry.action, entry.login, entry.run_id) == ("run.cancelled", "bob", "r1")
    assert (entry.target, entry.pull) == (STAGING.key, 7)
    with world.store.read() as tables:
        assert tables.surfaces.get(f"check:{STAGING.key}#7") is not None


def test_both_at_once_each_by_its_name(world: Context) -> None:
    add(world, "a", kind="apply", phase="applying", reverts="e1")
    add(world, "b", kind="drift", target=samples.PROD)
    assert cancel(world) == Notice(
        f"Cancelled the queued drift check of prod. Stopping the revert of staging: {STOPPING}", SHOWN
    )


def test_there_are_none(world: Context) -> None:
    """Neither those that ended nor those of other pull requests count."""
    add(world, phase="finished", outcome="planned")
    add(world, "other", pull=8)
    assert cancel(world) == Notice("#7 has no active runs.")
    assert row(world).outcome == "planned"
    assert row(world, "other").phase == "queued"


@pytest.mark.parametrize("phase", ["queued", "applying"])
def test_those_of_others_need_maintain(world: Context, phase: str) -> None:
    add(world, kind="apply", phase=phase)
    before = row(world)
    refusal = refusal_of(cancel, world, CAROL)
    assert refusal.code == "permission"
    assert refusal.fact == (
        "The active runs of #7 were started by @bob. Cancelling them needs the `maintain` role; you have `write`."
    )
    assert refusal.next_step == "Ask @bob or a maintainer."
    assert row(world) == before
    assert audit(world) == []
    assert isinstance(cancel(world, CAROL, "maintain"), Notice)
    assert row(world) != before


def test_a_queued_one_is_recorded_as_well(world: Context) -> None:
    add(world)
    cancel(world)
    assert [(entry.action, entry.login, entry.run_id) for entry in audit(world)] == [
        ("run.cancelled", "bob", "r1")
    ]


def test_those_of_others_are_left_when_there_are_ones_own(world: Context) -> None:
    add(world, "mine", actor=CAROL)
    add(world, "theirs", target=samples.PROD)
    assert cancel(world, CAROL) == Notice("Cancelled the queued plan of staging.", SHOWN)
    assert row(world, "theirs").phase == "queued"


@pytest.mark.parametrize(("starter", "who"), [(BOB, ANN), (SYSTEM, CAROL)])
def test_the_author_cancels_all_and_anybody_what_nobody_started(
    world: Context, starter: Actor, who: Actor
) -> None:
    add(world, actor=starter)
    cancel(world, who)
    assert row(world).message == f"Cancelled by {who.name} before it started."


def test_plans_that_waited_for_a_cancelled_apply_begin(world: Context) -> None:
    add(world, "apply", kind="apply")
    add(world, "plan", actor=CAROL, pull=8, waits_for="apply")
    cancel(world)
    assert row(world, "plan").waits_for == ""
    work: Any = world.work
    assert work.runs == ["plan"]


def test_a_second_time_says_the_same(world: Context) -> None:
    add(world, kind="apply", phase="applying")
    assert cancel(world) == cancel(world)
    assert row(world).phase == "applying"
