"""An apply whose Terraform has ended, and of which nothing is recorded yet."""

from __future__ import annotations

from pathlib import Path

from bot.domain.ports.terraform import CommandResult
from bot.domain.states import LockInfo
from bot.services.applies.record import FinishedApply, record_apply
from bot.services.context import Context
from tests.unit.services.world import World

OK = CommandResult(0, "")
FAILED = CommandResult(1, "log", diagnostics=("Error: quota exceeded",))
BOB = LockInfo("l1", operation="OperationTypeApply", who="bob@laptop")


def applying(world: World) -> World:
    """Terraform of `r1` has ended."""
    plan = world.keep_plan(status="applying", configuration="cfg")
    world.keep_run(phase="applying", approval="a9")
    Path(plan.root).mkdir(parents=True)
    return world


def in_bucket(context: Context) -> World:
    """The same with its state in a bucket."""
    world = World(context)
    world.kind = "s3"
    return applying(world)


def finish(world: World, ended: CommandResult, *unfinished: str) -> None:
    with world.context.store.read() as tables:
        run, plan = tables.runs.get("r1"), tables.plans.get("p1")
    assert run is not None
    assert plan is not None
    record_apply(world.context, run, plan, FinishedApply(world.backend_of(), ended, unfinished))
