"""A state that Terraform could not upload is kept once, blocks and is told, and is pushed only where nothing came between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.domain.chat import Notice
from bot.domain.run import Origin
from bot.domain.states import LockInfo, Unsaved
from bot.errors import TransientError
from bot.services.context import Context
from bot.services.states import unsaved
from bot.services.states.unsaved import clear_unsaved, keep_unsaved, push_unsaved, unsaved_notes
from tests.contract.state_store import state
from tests.fixtures.refusals import refusal_of
from tests.unit.services.world import ANN, STAGING, World

ASKED, FIVE = Origin("d9"), state(5)


@pytest.fixture
def world(context: Context) -> World:
    """The apply `r1` of #7 has ended; it began with serial 4."""
    made = World(context)
    made.kind, made.bucket.data = "s3", state(4)
    plan = made.keep_plan(lineage="one", serial=4)
    Path(plan.root).mkdir(parents=True)
    made.keep_run(phase="finished")
    return made


def left(world: World, data: bytes = state(5)) -> Path:
    file = world.context.data_dir / "worktrees" / "p1" / "infra" / "errored.tfstate"
    file.write_bytes(data)
    return file


def keep(world: World) -> Unsaved:
    left(world)
    kept = keep_unsaved(world.context, world.run())
    assert kept is not None
    return kept


def to_push(world: World) -> list[str]:
    with world.context.store.read() as tables:
        return [one.id for one in tables.unsaved.open([STAGING])]


def push(world: World) -> Any:
    return push_unsaved(world.context, STAGING, ANN, ASKED)


# kept


def link(file: Path) -> None:
    """To another state, which is not this run's."""
    other = file.with_name("other.tfstate")
    other.write_bytes(FIVE)
    file.symlink_to(other)


def test_it_is_kept_with_its_record_and_the_clear_file_is_deleted(world: World) -> None:
    file = left(world)
    kept = keep_unsaved(world.context, world.run())
    assert kept is not None
    assert (kept.run_id, kept.pull, kept.serial, kept.plan_serial, kept.base_known) == ("r1", 7, 5, 4, True)
    assert not file.exists()
    with world.context.store.read() as tables:
        assert tables.unsaved.data(kept.id) == state(5)
    (entry,) = world.audit
    assert (entry.action, entry.run_id, entry.facts["serial"]) == ("state.unsaved", "r1", 5)
    assert "status:acme/infra#7" in world.due()
    (note,) = unsaved_notes(world.context, [STAGING])
    assert "**The state of staging could not be uploaded** after the apply of #7 (serial 5" in note
    assert "`/push-state staging`" in note


def test_keeping_it_again_changes_nothing_and_deletes_what_a_crash_left(world: World) -> None:
    kept = keep(world)
    assert keep_unsaved(world.context, world.run()) == kept
    file = left(world)  # the worker died before it deleted the file
    assert keep_unsaved(world.context, world.run()) == kept
    assert not file.exists()
    assert world.actions == ["state.unsaved"]


def test_another_state_than_the_kept_one_is_not_deleted(world: World) -> None:
    kept = keep(world)
    file = left(world, state(6))
    assert keep_unsaved(world.context, world.run()) == kept
    assert file.read_bytes() == state(6)


@pytest.mark.parametrize(
    "make",
    [
        lambda _file: None,
        link,
        lambda file: file.write_text("not a state"),
        lambda file: file.write_bytes(state(5) + b" " * 2000),
    ],
    ids=["nothing", "a link", "no state", "too large"],
)
def test_what_is_no_state_of_terraforms_is_not_kept(
    world: World, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsaved, "MAX_BYTES", 1000)
    file = left(world)
    file.unlink()
    make(file)
    assert keep_unsaved(world.context, world.run()) is None
    assert to_push(world) == []


def test_what_the_backend_has_after_all_is_only_deleted(world: World) -> None:
    world.bucket.data = state(5)
    file = left(world)
    assert keep_unsaved(world.context, world.run()) is None
    assert not file.exists()
    assert to_push(world) == []


def test_without_its_plan_nobody_knows_where_it_is(world: World) -> None:
    left(world)
    run = world.keep_run("r2", plan_id="gone")
    assert keep_unsaved(world.context, run) is None


def test_an_unreachable_backend_is_no_reason_not_to_keep_it(world: World) -> None:
    world.bucket.down = TransientError("no answer")
    kept = keep(world)
    assert (kept.base_known, kept.base_sha256) == (False, "")


def test_a_file_from_before_the_apply_is_removed(world: World) -> None:
    file = left(world)
    clear_unsaved(file.parent)
    clear_unsaved(file.parent)
    assert not file.exists()


# pushed


def test_it_is_pushed_recorded_and_unlocked(world: World) -> None:
    keep(world)
    said = push(world)
    assert said == Notice(
        "Pushed the state of staging from the apply of #7. The backend has serial 5 now.",
        "Run `/plan staging` to see what is left to do.",
        "good",
    )
    assert (world.bucket.data, world.bucket.present, to_push(world)) == (state(5), None, [])
    with world.context.store.read() as tables:
        (version,) = tables.states.versions(STAGING.key, 9)
    assert (version.serial, version.run_id, version.actor) == (5, "r1", "ann")
    assert world.actions == ["state.unsaved", "state.pushed"]
    assert push(world) == Notice("staging has no state to push.")


def test_after_a_crash_it_is_pushed_with_the_lock_it_still_has(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(world)

    def die(*_facts: object) -> bool:
        raise SystemExit

    with monkeypatch.context() as dying:
        dying.setattr(world.bucket, "unlock", die)
        with pytest.raises(SystemExit):
            push(world)
    assert world.bucket.present is not None
    assert "The backend already had it." in push(world).text
    assert (world.bucket.present, to_push(world)) == (None, [])
    assert world.actions.count("state.pushed") == 1


def test_a_state_that_somebody_wrote_since_is_never_overwritten(world: World) -> None:
    keep(world)
    world.bucket.data = state(6)
    refusal = refusal_of(push, world)
    assert refusal.code == "moved-on"
    assert "the backend has serial 6, written by someone else" in refusal.fact
    assert "`/plan staging`" in refusal.next_step
    assert f"`towpath state unsaved {STAGING.key}`" in refusal.next_step
    assert (world.bucket.data, world.bucket.present, to_push(world)) == (state(6), None, [])
    assert world.actions[-1] == "state.overtaken"


def test_anothers_lock_refuses_and_it_is_still_to_be_pushed(world: World) -> None:
    keep(world)
    world.take_lock(8)
    assert refusal_of(push, world).code == "locked"
    with world.context.store.begin() as tables:
        tables.locks.release(STAGING)
    world.bucket.present = LockInfo("l1", who="bob@laptop")
    refusal = refusal_of(push, world)
    assert (refusal.code, "bob@laptop" in refusal.fact) == ("state-locked", True)
    assert len(to_push(world)) == 1
    assert world.bucket.present.id == "l1"


def test_a_running_apply_comes_first(world: World) -> None:
    keep(world)
    world.keep_run("r2", phase="applying")
    refusal = refusal_of(push, world)
    assert (refusal.code, refusal.next_step) == ("busy", "Wait until it has finished.")
    assert world.bucket.data == state(4)
