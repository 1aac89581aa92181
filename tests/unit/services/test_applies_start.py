"""The start of an apply uses up its approval, records what force skipped, and gives up a plan that no longer fits."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from bot.domain.ports.terraform import CommandResult
from bot.services.applies.execute import execute_apply
from bot.services.context import Context
from tests.unit.services.conftest import NOW
from tests.unit.services.world import BOB, STACK, STAGING, World

GUARDED = f"{STACK}[env.staging]\napprovals = {{ count = 1 }}\nforce = {{ users = ['ann'] }}\n"


@pytest.fixture
def world(context: Context) -> World:
    """An apply of plan `p1` in the queue."""
    made = World(context)
    made.keep_plan()
    made.keep_run()
    return made


@pytest.fixture
def guarded(context: Context) -> World:
    made = World(context, GUARDED)
    made.keep_plan()
    return made


def unchanged(world: World, status: str = "fresh") -> None:
    """Terraform did not start, and the plan is as it was."""
    assert "apply" not in world.calls
    assert world.plan_status() == status


# the worktree


def damage(world: World) -> None:
    with world.context.store.begin() as tables:
        tables.connection.execute(sa.text("UPDATE plan_files SET file = :file"), {"file": b"\x00"})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"worktree": "/elsewhere/p1"}, "made on another machine"),
        ({"backend": {"kind": "http", "config": {"address": "old"}}}, "address changed"),
        ({"tree": "other"}, "checked-out files differ"),
        (damage, "saved plan is damaged"),
    ],
)
def test_a_plan_that_can_never_be_applied_is_given_up(context: Context, change: Any, why: str) -> None:
    world = World(context)
    world.keep_plan(**({} if callable(change) else change))
    world.keep_run()
    if callable(change):
        change(world)
    with pytest.raises(Exception, match=why) as refused:
        execute_apply(world.context, "r1")
    assert getattr(refused.value, "next_step", "") == "`/plan staging`"
    unchanged(world, "failed")


def test_the_repositorys_own_file_is_not_taken_for_terraforms(world: World) -> None:
    world.files_now["infra/errored.tfstate"] = b'{"version": 4, "serial": 9, "lineage": "evil"}'
    world.on_apply = lambda *_facts: CommandResult(1, "", diagnostics=("Error: refused",))
    execute_apply(world.context, "r1")
    with world.context.store.read() as tables:
        assert tables.unsaved.open([STAGING]) == []
    assert world.run().message == "Error: refused"


# approvals and forced applies


def test_its_approval_is_used_up_with_its_start(guarded: World) -> None:
    guarded.keep_approval(count=0)
    guarded.keep_run(approval="a1")
    execute_apply(guarded.context, "r1")
    assert guarded.run().outcome == "applied"
    assert guarded.approval().status == "used"
    assert guarded.actions[:2] == ["approval.used", "apply.started"]


def test_an_approval_that_was_rejected_meanwhile_is_named(guarded: World) -> None:
    guarded.keep_approval()
    guarded.keep_run(approval="a1")
    with guarded.context.store.begin() as tables:
        tables.approvals.end("a1", "rejected", "@bob rejected it", NOW)
    execute_apply(guarded.context, "r1")
    run = guarded.run()
    assert (run.outcome, "@bob rejected it" in run.message) == ("refused", True)
    assert run.next_step == "`/apply staging` requests a new one."
    unchanged(guarded)


def test_a_forced_apply_leaves_something_to_acknowledge(guarded: World) -> None:
    guarded.keep_approval()
    guarded.keep_run(forced="the site is down", actor=BOB)
    execute_apply(guarded.context, "r1")
    with guarded.context.store.read() as tables:
        (left,) = tables.follow_ups.open()
    assert (left.run_id, left.actor, left.reason) == ("r1", BOB, "the site is down")
    assert [one.split(":")[0] for one in left.skipped] == ["Approved"]
    assert f"follow_up:{left.id}" in guarded.due()
    assert (guarded.approval().status, guarded.approval().why) == ("dead", "its plan was applied by force")
    (entry,) = [one for one in guarded.audit if one.action.startswith("apply.forced")]
    assert (entry.facts["skipped"], entry.facts["reason"]) == (["Approved"], "the site is down")


def test_where_force_skipped_nothing_there_is_nothing_to_acknowledge(world: World) -> None:
    with world.context.store.begin() as tables:
        tables.runs.update("r1", forced="just in case")
    execute_apply(world.context, "r1")
    with world.context.store.read() as tables:
        assert tables.follow_ups.open() == []
    assert "apply.started" in world.actions
