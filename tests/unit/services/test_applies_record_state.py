"""Whatever became of an apply, its state is recorded, or kept where it could not be uploaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain.ports.terraform import CommandResult
from bot.domain.states import StateInfo
from bot.errors import TransientError, UserError
from bot.services.applies.record import record_state, release_id
from bot.services.context import Context
from tests.contract.state_store import state
from tests.unit.services.ended_apply import BOB, FAILED, OK, applying, finish, in_bucket
from tests.unit.services.world import PROD, STAGING, World


@pytest.fixture
def world(context: Context) -> World:
    return applying(World(context))


@pytest.fixture
def bucket(context: Context) -> World:
    return in_bucket(context)


def left_behind(world: World, data: bytes) -> Path:
    """Terraform could not upload this state."""
    file = world.context.data_dir / "worktrees" / "p1" / "infra" / "errored.tfstate"
    file.write_bytes(data)
    return file


@pytest.mark.parametrize("ended", [OK, FAILED])
def test_a_state_lock_that_a_killed_terraform_kept_is_released(world: World, ended: CommandResult) -> None:
    with world.context.store.begin() as tables:
        tables.states.lock(STAGING.key, BOB, "r1")
        tables.states.lock(PROD.key, BOB, "r2")
    finish(world, ended)
    with world.context.store.read() as tables:
        assert tables.states.locked(STAGING.key) is None
        assert tables.states.locked(PROD.key) == BOB


def test_a_state_that_was_not_uploaded_is_kept_and_comes_first(world: World) -> None:
    file = left_behind(world, state(5))
    finish(world, FAILED)
    with world.context.store.read() as tables:
        (kept,) = tables.unsaved.open([STAGING])
    assert (kept.serial, kept.run_id, file.exists()) == (5, "r1", False)
    run = world.run()
    assert run.message == "The state could not be uploaded; Towpath kept it. Error: quota exceeded"
    assert run.next_step == "`/push-state staging` pushes it."


def test_an_unreadable_bucket_ends_the_run_where_the_state_was_kept(bucket: World) -> None:
    left_behind(bucket, state(5))
    bucket.bucket.down = TransientError("no answer")
    finish(bucket, FAILED)
    assert bucket.run().outcome == "failed"


@pytest.mark.parametrize("ended", [OK, FAILED])
def test_otherwise_it_is_read_again_later(bucket: World, ended: CommandResult) -> None:
    bucket.bucket.down = UserError("denied")
    with pytest.raises(UserError, match="denied"):
        finish(bucket, ended)
    assert (bucket.run().phase, bucket.plan_status()) == ("recording", "applying")
    with bucket.context.store.read() as tables:
        assert tables.releases.get(release_id(bucket.run())) is None


def test_the_built_in_backend_recorded_it_already(world: World) -> None:
    with world.context.store.begin() as tables:
        tables.states.append(STAGING.key, state(3), StateInfo.parse(state(3)))
    assert record_state(world.context, world.run(), world.backend_of()) == state(3)
    with world.context.store.read() as tables:
        assert len(tables.states.versions(STAGING.key, 9)) == 1
