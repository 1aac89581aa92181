"""What the gates judge by is what is there now: of the base branch, the state and its lock, a hold, an approval."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.domain.gates import ApplyFacts
from bot.domain.hold import Hold
from bot.domain.ports.state import PERSON
from bot.domain.run import Origin
from bot.domain.states import LockInfo, StateInfo
from bot.services.applies.facts import current_state, gather_facts, hold_against, observe, recorded_state
from bot.services.applies.options import ApplyOptions, ApplyRequest
from bot.services.context import Context
from tests.contract.state_store import state
from tests.integration.storage import samples
from tests.unit.services.conftest import NOW
from tests.unit.services.world import ANN, BOB, HEAD, PROD, STACK, STAGING, World

LAPTOP = LockInfo("l1", operation="OperationTypeApply", who="bob@laptop")
GUARDED = f'{STACK}[env.staging]\n[env.prod]\npromote_from = "staging"\nfreeze = [{{ deny = "* * * * *", for = "1h" }}]\n'


@pytest.fixture
def world(context: Context) -> World:
    return World(context)


def facts(world: World, request: ApplyRequest | None = None) -> ApplyFacts:
    """As an attempt gathers them for its first target."""
    asked = request or world.request()
    (target,) = asked.targets
    with world.context.store.read() as tables:
        plan = tables.plans.newest(target, asked.pull.number)
    observed = observe(world.context, asked, target, plan)
    with world.context.store.begin() as tables:
        return gather_facts(world.context, tables, asked, target, plan, observed)


def append(world: World, data: bytes) -> None:
    with world.context.store.begin() as tables:
        tables.states.append(STAGING.key, data, StateInfo.parse(data))


def test_a_quiet_world_has_the_plan_and_nothing_in_its_way(world: World) -> None:
    plan = world.keep_plan()
    found = facts(world)
    assert (found.plan, found.target, found.pull.head_sha) == (plan, STAGING, HEAD)
    assert (found.engine, found.policy) == (plan.engine, plan.policy)
    assert found.state == ("", 0)
    assert not found.base_changes
    for name in (
        "lock",
        "hold",
        "state_lock",
        "unsaved",
        "source",
        "frozen",
        "approval_state",
        "requested_at",
    ):
        assert getattr(found, name) is None, name


def test_the_options_and_the_time_of_the_request_are_taken_over(world: World) -> None:
    world.keep_plan()
    origin = Origin("d1", asked=NOW.timestamp())
    options = ApplyOptions(forced="down", revert=True, losing=3)
    found = facts(world, ApplyRequest(world.pull_context(), (STAGING,), ANN, origin, options))
    assert (found.forced, found.revert, found.losing) == ("down", True, 3)
    assert found.requested_at == datetime.fromtimestamp(NOW.timestamp(), UTC)


def test_what_the_base_branch_changed_in_the_stack(world: World) -> None:
    world.moved = ["infra/main.tf", "docs/readme.md"]
    assert facts(world).base_changes == ["infra/main.tf"]


def test_without_a_plan_neither_the_state_nor_its_lock_is_read(world: World) -> None:
    """Where it is stored is known from the plan alone."""
    with world.context.store.begin() as tables:
        tables.states.lock(STAGING.key, LAPTOP, f"{PERSON}bob")
    found = facts(world)
    assert (found.plan, found.state, found.state_lock) == (None, None, None)


def test_the_state_and_a_laptops_lock_are_read_from_the_plans_backend(world: World) -> None:
    world.kind, world.bucket.data, world.bucket.present = "s3", state(4), LAPTOP
    plan = world.keep_plan()
    found = facts(world)
    assert (found.state, found.state_lock) == (("one", 4), LAPTOP)
    world.bucket.data = None
    assert current_state(world.context, STAGING, plan) == ("", 0)


def test_the_built_in_backends_record_is_the_state(world: World) -> None:
    plan = world.keep_plan()
    append(world, state(6))
    assert current_state(world.context, STAGING, plan) == ("one", 6)
    assert recorded_state(plan, None) == ("", 0)


def test_rows_of_a_bucket_are_not_its_state(world: World) -> None:
    world.kind = "s3"
    append(world, state(6))
    with world.context.store.read() as tables:
        assert recorded_state(world.keep_plan(), tables.states.newest(STAGING.key)) is None


@pytest.mark.parametrize(("contains", "held"), [(True, True), (False, False)])
def test_a_hold_counts_for_a_commit_that_contains_what_was_reverted(
    world: World, contains: bool, held: bool
) -> None:
    hold = Hold(STAGING, "e1", "a" * 40, "f" * 40, "r0", 6, BOB, NOW)
    with world.context.store.begin() as tables:
        tables.holds.pin(hold)
    world.contains = {"f" * 40} if contains else {"a" * 40}
    assert hold_against(world.context, STAGING, HEAD) == (hold if held else None)
    assert hold_against(world.context, PROD, HEAD) is None
    assert facts(world).hold == (hold if held else None)


def test_a_guarded_environment_has_its_source_digest_and_freeze(context: Context) -> None:
    world = World(context, GUARDED)
    release = samples.release("e1", STAGING)
    with context.store.begin() as tables:
        tables.releases.add(release)
    world.keep_plan(target=PROD)
    found = facts(world, world.request(PROD))
    assert found.source is not None
    assert found.source.release == release
    assert found.configuration
    assert found.frozen is not None
    assert facts(world).configuration == ""  # nothing is promoted to staging


def test_an_open_approval_is_there_with_the_reviews_that_came_meanwhile(context: Context) -> None:
    world = World(context, f"{STACK}[env.staging]\napprovals = {{ count = 1 }}\n")
    world.keep_plan()
    world.keep_approval()
    world.review("bob", minutes=1)
    found = facts(world).approval_state
    assert found is not None
    assert found.missing.complete
    assert [one.login for one in found.approved] == ["bob"]


def test_a_forced_apply_asks_github_for_no_review(context: Context) -> None:
    world = World(context, f"{STACK}[env.staging]\napprovals = {{ count = 1 }}\n")
    world.keep_plan()
    world.keep_approval()
    world.review("bob", minutes=1)
    found = facts(world, world.request(forced="the site is down")).approval_state
    assert found is not None
    assert found.approved == ()
