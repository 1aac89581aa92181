"""Moving a state: copied and compared under both locks, the old copy kept, and the target locked until the policy follows."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.actors import SYSTEM
from bot.domain.policy import BackendPolicy, Policy
from bot.domain.ports.state import Author, StateLocation
from bot.domain.ports.terraform import Backend
from bot.domain.states import LockInfo
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.context import Context
from bot.services.states.migrate import migrate_state
from tests.contract.state_store import state
from tests.unit.services.bucket import Bucket
from tests.unit.services.world import PLAIN, PROD, STAGING, World

OLD, NEW = BackendPolicy("s3", "old"), BackendPolicy("s3", "new")
POLICY = f'{PLAIN}[env.prod]\n[stack.infra.backend]\nkind = "s3"\nbucket = "old"\n'
HELD = LockInfo("l1", who="bob@laptop")


class Moving(World):
    """A state in bucket `old`, and an empty bucket `new`."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, POLICY)
        self.buckets = {"old": Bucket(state(4)), "new": Bucket()}

    @property
    def old(self) -> Bucket:
        return self.buckets["old"]

    @property
    def new(self) -> Bucket:
        return self.buckets["new"]

    def backend(self, target: Target, policy: Policy, _declared: str, _credential: Any) -> Backend:
        bucket = policy.stacks[target.stack].backend.bucket if policy else "old"
        return Backend("s3", {"bucket": bucket}, {"SECRET": "x"})

    def location(self, _target: Target, backend: Backend, _author: Author | None = None) -> StateLocation:
        return self.buckets[backend.config["bucket"]]


@pytest.fixture
def world(context: Context) -> Moving:
    return Moving(context)


def refused(world: Moving, *, wanted: BackendPolicy = NEW, target: Target = STAGING) -> UserError:
    """Why it was not moved; nothing was written, and no lock of the move is left."""
    before = world.lock_of()
    with pytest.raises(UserError) as error:
        migrate_state(world.context, target, wanted)
    assert world.old.data in (state(4), None)
    assert world.lock_of() == before
    assert "state.moved" not in world.actions
    return error.value


def test_both_places_have_it_and_the_target_stays_locked(world: Moving) -> None:
    moved = migrate_state(world.context, STAGING, NEW)
    assert world.new.data == world.old.data == state(4)
    assert (world.old.present, world.new.present) == (None, None)
    assert (moved.source, moved.destination) == (
        Backend("s3", {"bucket": "old"}),
        Backend("s3", {"bucket": "new"}),
    )
    assert moved.policy == '[stack.infra.backend]\nkind = "s3"\nbucket = "new"'
    assert moved.others == ("prod",)
    lock = world.lock_of()
    assert lock is not None
    assert (lock.actor, lock.pull, lock.expires_at) == (SYSTEM, 0, None)
    assert "`envs/environments.toml` names that backend" in lock.reason
    (entry,) = world.audit
    assert (entry.action, entry.facts["serial"], entry.via) == ("state.moved", 4, "system")
    assert "status:acme/infra#7" in world.due()


def test_a_second_move_finds_the_target_locked(world: Moving) -> None:
    migrate_state(world.context, STAGING, NEW)
    with pytest.raises(UserError, match="staging is locked by Towpath"):
        migrate_state(world.context, STAGING, NEW)
    assert world.lock_of() is not None


@pytest.mark.parametrize(
    "target", [Target("acme/infra", "web", "staging"), Target("acme/infra", "infra", "dev")]
)
def test_an_unknown_target(world: Moving, target: Target) -> None:
    error = refused(world, target=target)
    assert error.what == f"The policy of acme/infra has no target {target}."


def test_a_policy_that_names_the_new_place_already_came_too_early(world: Moving) -> None:
    error = refused(world, wanted=OLD)
    assert error.what == "The policy already has this backend for staging."
    assert (
        error.next_step
        == "Restore the old lines in `envs/environments.toml`, move the state, then change the policy."
    )


@pytest.mark.parametrize(
    ("happens", "why", "step"),
    [
        (lambda world: world.take_lock(8), "staging is locked", "`/unlock staging`"),
        (
            lambda world: world.keep_run(kind="plan"),
            "A run of #7 is active on staging.",
            "Wait until it has finished",
        ),
        (
            lambda world: world.leave_unsaved(),
            "has a state that could not be uploaded",
            "`/push-state staging`",
        ),
    ],
    ids=["locked", "busy", "unsaved"],
)
def test_a_target_in_use_is_not_moved(world: Moving, happens: Any, why: str, step: str) -> None:
    happens(world)
    error = refused(world)
    assert why in error.what
    assert step in error.next_step
    assert world.new.data is None


def test_another_target_in_use_does_not_matter(world: Moving) -> None:
    world.take_lock(8, PROD)
    world.keep_run(target=PROD)
    assert migrate_state(world.context, STAGING, NEW)


@pytest.mark.parametrize("place", ["old", "new"])
def test_a_state_in_use_is_not_moved(world: Moving, place: str) -> None:
    world.buckets[place].present = HELD
    error = refused(world)
    assert "locked by bob@laptop, lock id l1" in error.what
    assert "`/unlock staging`" in error.next_step
    assert [one.present for one in world.buckets.values() if one.present] == [HELD]
    assert world.new.data is None


def test_a_target_without_a_state_needs_no_move(world: Moving) -> None:
    world.old.data = None
    error = refused(world)
    assert (error.what, error.next_step) == (
        "staging has no state, so there is nothing to move.",
        "Change the backend in `envs/environments.toml`.",
    )


def test_anothers_state_in_the_new_place_is_not_overwritten(world: Moving) -> None:
    world.new.data = state(2, "two")
    error = refused(world)
    assert error.what.startswith("The new backend already has another state: its lineage is one")
    assert world.new.data == state(2, "two")
    assert (world.old.present, world.new.present) == (None, None)


def test_a_copy_that_differs_is_not_used(world: Moving, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(_data: bytes, _lock_id: str) -> None:
        world.new.data = state(3)

    monkeypatch.setattr(world.new, "write", write)
    assert "differs from the original" in refused(world).what


def test_an_interrupted_move_can_be_made_again(world: Moving, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_facts: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopping:
        stopping.setattr(world.new, "write", stop)
        with pytest.raises(KeyboardInterrupt):
            migrate_state(world.context, STAGING, NEW)
    assert (world.lock_of(), world.old.present, world.new.present) == (None, None, None)
    assert migrate_state(world.context, STAGING, NEW).state.serial == 4
