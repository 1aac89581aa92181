"""What an apply leaves: with success a release and its verification, otherwise why not and what to do; the state always."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.ports.terraform import CommandResult
from bot.domain.release import Release
from bot.services.applies.record import (
    conclude_apply,
    policy_of,
    release_id,
)
from bot.services.context import Context, SurfaceKey, show
from tests.contract.state_store import state
from tests.integration.storage import samples
from tests.unit.services.ended_apply import BOB, FAILED, OK, applying, finish, in_bucket
from tests.unit.services.world import HEAD, PLAIN, STAGING, World


@pytest.fixture
def world(context: Context) -> World:
    return applying(World(context))


@pytest.fixture
def bucket(context: Context) -> World:
    return in_bucket(context)


def release(world: World) -> Release | None:
    with world.context.store.read() as tables:
        return tables.releases.get(release_id(world.run()))


def recorded(world: World) -> list[tuple[int, str, str]]:
    """Serial, run and release of the versions, newest first."""
    with world.context.store.read() as tables:
        return [(one.serial, one.run_id, one.release) for one in tables.states.versions(STAGING.key, 9)]


def test_success_leaves_a_release_of_the_run(bucket: World) -> None:
    bucket.bucket.data = state(4)
    finish(bucket, OK)
    made, run = release(bucket), bucket.run()
    assert made is not None
    assert (made.run_id, made.commit, made.serial, made.configuration) == ("r1", HEAD, 4, "cfg")
    assert (made.approval, made.verification, made.active) == ("a9", "none", True)
    assert (run.outcome, run.message, bucket.plan_status()) == ("applied", "", "applied")
    assert recorded(bucket) == [(4, "r1", made.id)]
    (entry,) = bucket.audit
    assert (entry.action, entry.facts["outcome"], entry.facts["release"]) == (
        "apply.ended",
        "applied",
        made.id,
    )


def test_failure_leaves_none_and_names_what_was_not_completed(bucket: World) -> None:
    bucket.bucket.data = state(4)
    finish(bucket, FAILED, "aws_instance.a")
    run = bucket.run()
    assert (run.outcome, release(bucket), bucket.plan_status()) == ("failed", None, "failed")
    assert run.message == "Error: quota exceeded Not completed: `aws_instance.a`."
    assert run.next_step == "Run `/plan staging` to see what is left to do."
    assert recorded(bucket) == [(4, "r1", "")]
    assert bucket.audit[-1].facts["outcome"] == "failed"


@pytest.mark.parametrize(
    ("ended", "row", "outcome", "says"),
    [
        (CommandResult(1, "", timed_out=True), {}, "timed_out", "It exceeded its time limit."),
        (CommandResult(1, "", interrupted=True), {"cancel_by": "bob"}, "cancelled", "It was stopped."),
    ],
)
def test_what_was_stopped_says_so(
    world: World, ended: CommandResult, row: dict[str, str], outcome: str, says: str
) -> None:
    with world.context.store.begin() as tables:
        tables.runs.update("r1", **row)
    finish(world, ended)
    assert world.run().outcome == outcome
    assert world.run().message.startswith(says)


def test_who_holds_the_states_lock_is_named_with_how_to_release_it(bucket: World) -> None:
    bucket.bucket.present = BOB
    finish(bucket, CommandResult(1, "Error acquiring the state lock"))
    run = bucket.run()
    assert "locked by bob@laptop (apply), lock id l1; nothing was changed" in run.message
    assert "`/unlock staging`" in run.next_step


# the policy may have changed meanwhile


@pytest.mark.parametrize("policy", [b"nonsense", b'[stack.infra]\nroot = "infra"\n[env.other]\n', None])
def test_what_was_applied_stays_applied_whatever_the_policy_says_now(world: World, policy: Any) -> None:
    world.tip = "9" * 40
    world.policies[world.tip] = policy
    assert policy_of(world.context, world.run()) is None
    finish(world, OK)
    made, run = release(world), world.run()
    assert made is not None
    assert (made.verification, run.outcome) == ("failed", "applied")
    assert "no longer says how to verify `staging`" in run.message
    assert "`/plan staging`" in run.next_step


def test_it_ends_once(world: World) -> None:
    finish(world, OK)
    made = release(world)
    assert made is not None
    conclude_apply(world.context, world.run(), made, world.backend_of(), world.policy)
    assert world.actions == ["apply.ended"]


def test_pull_requests_that_wait_for_this_release_are_shown_again(context: Context) -> None:
    world = applying(World(context, PLAIN))
    for number in (8, 9):
        world.open_pull(number)
    with context.store.begin() as tables:
        show(tables, context.now(), SurfaceKey("gate", "acme/infra#8", "acme/infra", 8))
    finish(world, OK)
    assert "status:acme/infra#8" in world.due(8)
    assert world.due(9) == set()


def test_a_revert_holds_the_environment_and_asks_for_the_revert_in_git(context: Context) -> None:
    world = applying(World(context))
    with context.store.begin() as tables:
        tables.releases.add(samples.release("e0", STAGING))
        tables.runs.update("r1", reverts="e0", base_commit="f" * 40)
    finish(world, OK)
    with context.store.read() as tables:
        hold = tables.holds.get(STAGING)
    assert hold is not None
    assert (hold.release_id, hold.reverted, hold.run_id) == ("e0", "f" * 40, "r1")
    link = f"https://example.com/acme/infra/compare/{HEAD}...{'f' * 40}"
    assert world.run().next_step == f"Revert [these commits]({link}) in git too."
