"""An error ends its run with what people can do; after Terraform started, nobody claims to know how far it got."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.domain.states import LockInfo
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.applies.failures import end_failed_run
from bot.services.applies.record import release_id
from bot.services.context import Context
from tests.contract.state_store import state
from tests.integration.storage import samples
from tests.unit.services.world import STAGING, World

TICKET = "T-ABCDEF"
DENIED = UserError("The bucket denies access.", next_step="Give Towpath `s3:GetObject`.")
HELD = LockInfo("l1", operation="OperationTypeApply")


@pytest.fixture
def world(context: Context) -> World:
    return World(context)


def applying(world: World, phase: str = "applying") -> None:
    plan = world.keep_plan(status="applying")
    Path(plan.root).mkdir(parents=True)
    world.keep_run(phase=phase, progress={"aws_instance.a": {"state": "started"}})
    with world.context.store.begin() as tables:
        tables.states.lock(STAGING.key, HELD, "r1")


def state_lock(world: World) -> LockInfo | None:
    with world.context.store.read() as tables:
        return tables.states.locked(STAGING.key)


@pytest.mark.parametrize("phase", ["queued", "preparing", "initialising"])
def test_what_people_can_fix_is_told_as_it_is(world: World, phase: str) -> None:
    world.keep_run(phase=phase)
    end_failed_run(world.context, "r1", DENIED, TICKET)
    run = world.run()
    assert (run.outcome, run.message, run.next_step, run.reference) == (
        "refused",
        DENIED.what,
        DENIED.next_step,
        "",
    )


@pytest.mark.parametrize(
    ("row", "again"),
    [
        ({"kind": "plan"}, "/plan staging"),
        ({"kind": "drift"}, "/drift staging"),
        ({"target": Target("acme/infra", "web", "staging")}, "/apply staging web"),
        ({"reverts": "e1"}, "/revert staging"),
        ({"kind": "plan", "reverts": "e1"}, "/revert staging"),
    ],
)
def test_anything_else_is_a_reference_and_nothing_was_changed(
    world: World, row: dict[str, Any], again: str
) -> None:
    world.keep_run(phase="preparing", **row)
    end_failed_run(world.context, "r1", RuntimeError("password hunter2"), TICKET)
    run = world.run()
    assert (run.outcome, run.message) == ("failed", "Internal error; nothing was changed.")
    assert run.reference == TICKET
    assert run.next_step == f"`{again}` again; if it persists, give your operator the reference {TICKET}."


def test_a_run_that_ended_or_is_unknown_stays_as_it_is(world: World) -> None:
    world.keep_run(phase="finished", outcome="applied", message="")
    for run_id in ("r1", "gone"):
        end_failed_run(world.context, run_id, DENIED, TICKET)
    assert (world.run().outcome, world.run().message) == ("applied", "")


@pytest.mark.parametrize("phase", ["applying", "recording"])
@pytest.mark.parametrize(
    ("error", "why"), [(DENIED, "The bucket denies access,"), (RuntimeError("x"), "Internal error,")]
)
def test_once_terraform_runs_it_was_interrupted(world: World, phase: str, error: Exception, why: str) -> None:
    applying(world, phase)
    end_failed_run(world.context, "r1", error, TICKET)
    run = world.run()
    assert (run.outcome, run.reference, world.plan_status()) == ("interrupted", TICKET, "failed")
    assert run.message.startswith(f"{why} during this apply; it is not repeated automatically.")
    assert "`aws_instance.a`" in run.message
    assert state_lock(world) is None


@pytest.mark.parametrize("running", [False, True])
def test_the_state_that_terraform_left_is_kept_once_it_has_ended(world: World, running: bool) -> None:
    """While it runs, it may still write it; and it still holds the state's lock."""
    applying(world)
    file = world.context.data_dir / "worktrees" / "p1" / "infra" / "errored.tfstate"
    file.write_bytes(state(5))
    world.supervised = ("running", None) if running else ("ended", 1)
    end_failed_run(world.context, "r1", DENIED, TICKET)
    with world.context.store.read() as tables:
        assert len(tables.unsaved.open([STAGING])) == (0 if running else 1)
    assert file.exists() == running
    assert state_lock(world) == (HELD if running else None)
    assert world.run().outcome == "interrupted"


@pytest.mark.parametrize(
    ("error", "why"), [(DENIED, "The bucket denies access"), (OSError("x"), "Internal error")]
)
def test_what_was_applied_but_not_verified_cannot_be_promoted(
    world: World, error: Exception, why: str
) -> None:
    world.keep_run(phase="verifying")
    release = replace(samples.release(release_id(world.run()), STAGING), verification="running")
    with world.context.store.begin() as tables:
        tables.releases.add(release)
    end_failed_run(world.context, "r1", error, TICKET)
    run = world.run()
    assert (run.outcome, run.message) == ("applied", f"Applied, but not verified: {why}.")
    assert run.next_step == "Run `/plan staging infra` and `/apply staging infra` to verify again."
    with world.context.store.read() as tables:
        made = tables.releases.get(release.id)
    assert made is not None
    assert (made.verification, made.verified_at) == ("failed", world.context.now())


def test_a_verification_and_its_run_end_together(world: World) -> None:
    """Without its release nothing is recorded as verified, and the run does not end either."""
    world.keep_run(phase="verifying")
    with pytest.raises(KeyError):
        end_failed_run(world.context, "r1", DENIED, TICKET)
    assert world.run().phase == "verifying"
