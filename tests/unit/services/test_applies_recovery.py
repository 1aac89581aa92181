"""After a crash, an apply is recorded as its Terraform ended, or reported as interrupted; it is never started again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.domain.run import Plan
from bot.domain.states import LockInfo
from bot.services.applies import recovery
from bot.services.applies.record import release_id
from bot.services.applies.recovery import resume_apply
from bot.services.context import Context
from bot.services.directories import journal_of
from tests.contract.state_store import state
from tests.integration.storage import samples
from tests.unit.services.world import STAGING, World

HELD = LockInfo("l1", operation="OperationTypeApply")


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody sleeps between two looks at a process."""
    monkeypatch.setattr(
        recovery, "time", SimpleNamespace(monotonic=time.monotonic, sleep=lambda _seconds: None)
    )


@pytest.fixture
def world(context: Context) -> Iterator[World]:
    """`r1` was applying when its worker died; its Terraform took the state's lock."""
    made = World(context)
    made.kind = "s3"
    plan = made.keep_plan(status="applying")
    Path(plan.root).mkdir(parents=True)
    made.keep_run(phase="applying", worker="dead", progress={"aws_instance.a": {"state": "started"}})
    with context.store.begin() as tables:
        tables.states.lock(STAGING.key, HELD, "r1")
    yield made
    assert "apply" not in made.calls


def resume(world: World) -> None:
    plan: Plan | None
    with world.context.store.read() as tables:
        plan = tables.plans.get("p1")
    resume_apply(world.context, world.run(), plan)


def state_lock(world: World) -> LockInfo | None:
    with world.context.store.read() as tables:
        return tables.states.locked(STAGING.key)


def test_a_terraform_that_succeeded_is_recorded(world: World) -> None:
    world.supervised, world.bucket.data = ("ended", 0), state(4)
    resume(world)
    with world.context.store.read() as tables:
        release = tables.releases.get(release_id(world.run()))
    assert release is not None
    assert (release.serial, world.run().outcome, world.plan_status()) == (4, "applied", "applied")


@pytest.mark.parametrize("supervised", [("ended", 1), ("lost", None)])
def test_otherwise_it_was_interrupted_with_what_was_in_progress(
    world: World, supervised: tuple[str, int | None]
) -> None:
    world.supervised, world.bucket.data = supervised, state(4)
    journal_of(world.context, world.run()).mkdir(parents=True)
    resume(world)
    run = world.run()
    assert (run.outcome, world.plan_status()) == ("interrupted", "failed")
    assert run.message == (
        "The worker died during this apply; it is not repeated automatically. In progress at the time, may have "
        "completed: `aws_instance.a`."
    )
    assert run.next_step == "Run `/plan staging` to see what is left to do."
    with world.context.store.read() as tables:
        (version,) = tables.states.versions(STAGING.key, 9)
        assert tables.releases.newest(STAGING) is None
    assert (version.serial, version.run_id) == (4, "r1")
    assert state_lock(world) is None


def test_the_state_that_it_could_not_upload_is_kept(world: World) -> None:
    file = world.context.data_dir / "worktrees" / "p1" / "infra" / "errored.tfstate"
    file.write_bytes(state(5))
    resume(world)
    with world.context.store.read() as tables:
        assert [one.serial for one in tables.unsaved.open([STAGING])] == [5]
    assert not file.exists()


def test_it_waits_for_a_terraform_that_outlived_its_worker(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [("running", None), ("ended", 0)]
    monkeypatch.setattr(world, "outcome", lambda _journal: answers.pop(0))
    resume(world)
    assert world.run().outcome == "applied"
    assert answers == []


def test_one_that_does_not_end_keeps_its_state_lock(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "PATIENCE", -1.0)
    world.supervised = ("running", None)
    resume(world)
    assert world.run().outcome == "interrupted"
    assert state_lock(world) == HELD


def test_one_on_another_machine_is_waited_for_while_it_holds_the_state(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no journal here; once the lock is free it has ended."""
    asked = []

    def outcome(_journal: Path) -> tuple[str, None]:
        asked.append(state_lock(world))
        if len(asked) == 2:
            with world.context.store.begin() as tables:
                tables.states.unlock(STAGING.key, HELD.id)
        return "lost", None

    monkeypatch.setattr(world, "outcome", outcome)
    resume(world)
    assert asked == [HELD, HELD]
    assert world.run().outcome == "interrupted"


def test_one_that_was_lost_here_is_not_waited_for(world: World) -> None:
    journal_of(world.context, world.run()).mkdir(parents=True)
    world.supervised = ("lost", None)
    resume(world)
    assert world.calls == ["outcome"]


def test_without_its_plan_it_is_interrupted(world: World) -> None:
    world.supervised = ("ended", 0)
    resume_apply(world.context, world.run(), None)
    assert world.run().outcome == "interrupted"
    assert state_lock(world) is None


def test_one_that_was_recorded_is_only_verified_again(world: World) -> None:
    release = samples.release(release_id(world.run()), STAGING)
    with world.context.store.begin() as tables:
        tables.releases.add(release)
        tables.runs.move("r1", ("applying",), "verifying")
        tables.plans.take("p1", "applying", "applied")
    resume(world)
    assert "outcome" not in world.calls
    assert world.run().outcome == "applied"
    assert [one.facts["release"] for one in world.audit if one.action == "apply.ended"] == [release.id]
