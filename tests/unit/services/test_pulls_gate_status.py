"""The status of a guarded environment says what blocks an apply there and which command comes next, or none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.approvals import ApprovalState, Missing
from bot.domain.chat import TargetStatus
from bot.domain.gates import PROMOTION
from bot.domain.ports.records import FollowUp
from bot.domain.refusal import Refused
from bot.domain.target import Target
from bot.services.context import Context
from bot.services.promotion import configuration_digest_of
from bot.services.pulls.gate_status import GateStatus, before, gate_status, next_step
from tests.integration.storage import samples
from tests.unit.services.conftest import NOW, Clock
from tests.unit.services.world import BOB, HEAD, PROD, STACK, STAGING, World

TEST = Target("acme/infra", "infra", "test", "pr-7")
POLICY = f"""{STACK}
[env.test]
instance = "pr-{{pr}}"
[env.staging]
[env.prod]
promote_from = "staging"
soak = "1h"
approvals = {{ count = 1 }}
freeze = [{{ deny = "0 0 3 1 *", for = "1h" }}]
"""
"""prod is frozen on 3 January from 00:00; it is 2 January, 03:04."""
COMPLETE = Missing()


@pytest.fixture
def world(context: Context) -> World:
    return World(context, POLICY)


def rows(world: World, *targets: Target, pull: int = 7) -> GateStatus:
    with world.context.store.read() as tables:
        return before(tables, world.policy, targets or (STAGING, PROD), pull)


def status(world: World, target: Target = PROD, *, pull: Any = "open", **more: Any) -> TargetStatus:
    row = TargetStatus(target, world.policy.environments[target.environment], 7, **more)
    shown = world.pulls[7] if pull == "open" else pull
    return gate_status(world.context, row, world.policy, shown, rows(world))


def released(world: World, **more: Any) -> None:
    """staging runs the latest commit since two hours."""
    facts: dict[str, Any] = {
        "commit": HEAD,
        "serial": 0,
        "created_at": NOW - timedelta(hours=2),
        "configuration": configuration_digest_of(world.context, "acme/infra", HEAD, world.policy, "infra"),
    }
    with world.context.store.begin() as tables:
        tables.releases.add(replace(samples.release("e1", STAGING), **facts | more))


def forced(world: World, target: Target) -> FollowUp:
    left = FollowUp(f"f-{target.environment}", target, 7, "r0", BOB, "down", ("Approved",), NOW)
    with world.context.store.begin() as tables:
        tables.follow_ups.add(left)
    return left


def code(row: TargetStatus) -> str:
    return row.blocked.code if row.blocked else ""


# the rows


def test_rows_of_several_targets_are_read_together(world: World) -> None:
    world.keep_plan(target=PROD)
    world.keep_approval(PROD)
    left = forced(world, PROD)
    read = rows(world)
    assert set(read.sources) == {PROD}
    assert read.sources[PROD].target == STAGING
    assert set(read.approval_states) == {PROD}
    assert read.follow_ups == {PROD: [left]}
    assert rows(world, pull=0).approval_states == {}


# what blocks


def test_an_unguarded_environment_has_no_gates_to_show(world: World) -> None:
    row = status(world, STAGING)
    assert (row.gates, row.blocked, row.frozen) == ((), None, None)


def test_the_first_gate_that_refuses_blocks_and_all_are_shown(world: World) -> None:
    row = status(world)
    assert [one.gate for one in row.gates] == [type(gate).__name__ for gate in PROMOTION]
    assert [one.passed for one in row.gates] == [False, True, False]
    assert code(row) == "unpromoted"


def test_promoted_it_needs_approval_and_then_nothing(world: World) -> None:
    released(world)
    plan = world.keep_plan(target=PROD)
    assert code(status(world, plan=plan)) == "unapproved"
    world.keep_approval(PROD, count=0)
    row = status(world, plan=plan)
    assert (code(row), next_step(row)) == ("", "/apply prod")
    assert row.approval_state is not None


def test_it_soaks_and_is_frozen_as_time_passes(world: World, clock: Clock) -> None:
    released(world, created_at=NOW - timedelta(minutes=30))
    row = status(world)
    assert code(row) == "soaking"
    assert row.next_freeze is not None
    clock.pass_by(hours=21)
    row = status(world)
    assert (code(row), row.frozen is not None) == ("frozen", True)


def test_the_files_matter_only_for_the_commit_that_would_be_promoted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit that was pushed just now is not in the mirror yet."""

    def missing(*_facts: object) -> Any:
        raise AssertionError("read from the mirror")

    released(world)
    world.open_pull(head_sha="d" * 40)
    monkeypatch.setattr(world, "blobs", missing)
    assert code(status(world)) == "other-commit"


def test_an_approval_that_has_ended_is_shown_and_does_not_count(world: World) -> None:
    released(world)
    plan = world.keep_plan(target=PROD)
    world.keep_approval(PROD, count=0)
    with world.context.store.begin() as tables:
        tables.approvals.end("a1", "expired", "it was not approved in time", NOW)
    row = status(world, plan=plan)
    assert row.approval_state is not None
    assert (row.approval_state.approval.status, code(row)) == ("expired", "unapproved")


@pytest.mark.parametrize("pull", [None, "closed"])
def test_without_an_open_pull_request_no_gate_is_asked(world: World, pull: str | None) -> None:
    left = forced(world, PROD)
    shown = world.open_pull(state="closed") if pull else None
    row = status(world, pull=shown)
    assert (row.gates, row.blocked) == ((), None)
    assert row.follow_ups == (left,)


def test_losses_need_approval_in_every_environment(world: World) -> None:
    plan = world.keep_plan(reverts="e0", losses=("t.a",))
    assert code(status(world, STAGING, plan=plan)) == "unapproved"


def test_an_environment_that_may_be_forced_shows_what_was(context: Context) -> None:
    world = World(context, f"{STACK}[env.staging]\nforce = {{ users = ['ann'] }}\n[env.prod]\n")
    left = forced(world, STAGING)
    assert status(world, STAGING).follow_ups == (left,)


# the next command


def approval_state(world: World, missing: Missing = COMPLETE, **more: Any) -> ApprovalState:
    return ApprovalState(replace(world.keep_approval(PROD), **more), missing=missing)


@pytest.mark.parametrize(
    ("blocked", "approval", "step"),
    [
        ("", None, "/apply prod"),
        ("unapproved", None, "/apply prod"),
        ("approval-void", {"status": "dead"}, "/apply prod"),
        ("soaking", None, "/apply prod"),
        ("soaking", {}, ""),
        ("unpromoted", None, ""),
        ("rejected", {"status": "rejected"}, ""),
        ("unapproved", {"missing": Missing(1)}, "/approve prod"),
        ("soaking", {"missing": Missing(1)}, "/approve prod"),
        ("unapproved", {"missing": Missing(1), "status": "planning"}, ""),
        ("unapproved", {"missing": Missing(1), "status": "expired"}, "/apply prod"),
    ],
)
def test_the_next_command_is_one_that_helps_now(
    world: World, blocked: str, approval: dict[str, Any] | None, step: str
) -> None:
    row = TargetStatus(
        PROD,
        world.policy.environments["prod"],
        blocked=Refused(blocked, "no") if blocked else None,
        approval_state=None if approval is None else approval_state(world, **approval),
    )
    assert next_step(row) == step
