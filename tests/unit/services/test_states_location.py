"""Where a target's state is, who holds its lock, and whether a pull request may write it now."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.actors import SYSTEM
from bot.domain.policy import Policy
from bot.domain.policy.loader import parse_policy
from bot.domain.ports.state import PERSON
from bot.domain.ports.terraform import Backend
from bot.domain.refusal import Refused
from bot.domain.states import LockInfo
from bot.domain.target import Target
from bot.services.context import Context
from bot.services.states.location import backend_of, foreign_lock, lock_state
from bot.services.states.write_access import refuse_claimed
from tests.fixtures.refusals import refusal_of
from tests.unit.services.conftest import NOW
from tests.unit.services.world import ANN, PLAIN, STAGING, World

APPLY = LockInfo("l1", operation="OperationTypeApply", who="bob@laptop")
PLAN = LockInfo("l2", operation="OperationTypePlan", who="bob@laptop")


@pytest.fixture
def world(context: Context) -> World:
    return World(context)


def locked(world: World, holder: str, lock: LockInfo = APPLY) -> None:
    with world.context.store.begin() as tables:
        assert tables.states.lock(STAGING.key, lock, holder) is None


# where


@pytest.mark.parametrize(
    ("rules", "planned", "declared"),
    [("", "s3", "s3"), ("", "", ""), ('[stack.infra.backend]\nkind = "http"\n', "s3", "")],
    ids=["as the newest plan found it", "never planned", "as the policy says"],
)
def test_the_policy_says_where_or_else_the_newest_plan(
    world: World, monkeypatch: pytest.MonkeyPatch, rules: str, planned: str, declared: str
) -> None:
    asked: list[Any] = []

    def backend(_target: Target, _policy: Policy, kind: str, credential: tuple[str, str]) -> Backend:
        asked.append((kind, credential))
        return Backend("s3", {"bucket": "b"}, {"SECRET": "x"}, declared=True)

    if planned:
        world.keep_plan(backend={"kind": planned, "config": {}})
    monkeypatch.setattr(world, "backend", backend)
    found = backend_of(world.context, STAGING, parse_policy(PLAIN + rules, "policy"))
    assert asked == [(declared, ("", ""))]
    assert found == Backend("s3", {"bucket": "b"})  # without what only Terraform needs


# the lock of an operation of Towpath's own


def test_an_operation_locks_the_state_in_the_name_of_whoever_asked(world: World) -> None:
    lock = lock_state(world.context, world.bucket, STAGING, ANN, "push-state")
    assert world.bucket.present == lock
    assert (lock.operation, lock.who, lock.created) == ("push-state", "ann by Towpath", NOW.isoformat())
    other = lock_state(world.context, type(world.bucket)(), STAGING, SYSTEM, "push-state")
    assert (other.who, other.id != lock.id) == ("Towpath by Towpath", True)


def test_the_same_request_has_it_already_and_another_is_refused(world: World) -> None:
    for _ in range(2):
        assert lock_state(world.context, world.bucket, STAGING, ANN, "push-state", "same").id == "same"
    refusal = refusal_of(lock_state, world.context, world.bucket, STAGING, ANN, "push-state", "other")
    assert refusal.code == "state-locked"
    assert "locked by ann by Towpath (push-state)" in refusal.fact
    assert "`/unlock staging`" in refusal.next_step


# locks of others


@pytest.mark.parametrize(
    ("holder", "lock", "foreign"),
    [
        (f"{PERSON}bob", APPLY, APPLY),
        (f"{PERSON}bob", PLAN, None),
        ("r1", APPLY, None),
    ],
    ids=["a laptop's apply", "a laptop's plan ends by itself", "a run's"],
)
def test_on_the_built_in_backend_only_people_hold_foreign_locks(
    world: World, holder: str, lock: LockInfo, foreign: LockInfo | None
) -> None:
    assert foreign_lock(world.context, STAGING, world.backend_of()) is None
    locked(world, holder, lock)
    assert foreign_lock(world.context, STAGING, world.backend_of()) == foreign


def test_in_a_bucket_any_lock_is_foreign_while_no_apply_of_ours_runs(world: World) -> None:
    world.kind, world.bucket.present = "s3", APPLY
    world.keep_run(phase="preparing")
    assert foreign_lock(world.context, STAGING, world.backend_of()) == APPLY
    with world.context.store.begin() as tables:
        tables.runs.move("r1", ("preparing",), "applying")
    assert foreign_lock(world.context, STAGING, world.backend_of()) is None


# who may write


def may_write(world: World, pull: int = 7) -> Refused | None:
    with world.context.store.begin() as tables:
        return refuse_claimed(world.context, tables, STAGING, pull)


def test_a_free_target_may_be_written_also_under_ones_own_lock(world: World) -> None:
    assert may_write(world) is None
    world.take_lock(7)
    assert may_write(world) is None


@pytest.mark.parametrize(("pull", "who"), [(8, "#8"), (0, "@bob")])
def test_anothers_lock_refuses_and_names_them(world: World, pull: int, who: str) -> None:
    world.take_lock(pull)
    refusal = may_write(world)
    assert refusal is not None
    assert (refusal.code, who in refusal.fact, "`/unlock staging`" in refusal.next_step) == (
        "locked",
        True,
        True,
    )


def test_an_expired_lock_does_not(world: World) -> None:
    world.take_lock(8, expires_at=NOW + timedelta(seconds=1))
    assert may_write(world) is not None
    later = replace(world.context, now=lambda: NOW + timedelta(seconds=1))
    with later.store.begin() as tables:
        assert refuse_claimed(later, tables, STAGING, 7) is None


@pytest.mark.parametrize(
    ("row", "code"), [({"phase": "queued"}, "busy"), ({"kind": "plan"}, ""), ({"pull": 9}, "busy")]
)
def test_an_active_apply_refuses_whoever_asked_for_it(world: World, row: Any, code: str) -> None:
    world.keep_run(**row)
    refusal = may_write(world)
    assert (refusal.code if refusal else "") == code
    if refusal:
        assert f"An apply of #{row.get('pull', 7)} is running on staging." == refusal.fact
