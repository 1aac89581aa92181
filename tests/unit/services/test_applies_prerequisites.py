"""Before an apply: a plan that somebody can read, and a request for the approval that it needs, or neither."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.chat import ApprovalRequest
from bot.domain.ports.store import Tables
from bot.domain.run import Run
from bot.domain.target import Target
from bot.services.applies.options import ApplyOptions, ApplyRequest
from bot.services.applies.prerequisites import approval_requested, plan_first
from bot.services.context import Context
from bot.services.promotion import configuration_digest_of
from tests.fixtures.refusals import refusal_of
from tests.integration.storage import samples
from tests.unit.services.conftest import NOW
from tests.unit.services.world import ANN, HEAD, PROD, STACK, STAGING, World

WEB = Target("acme/infra", "web", "staging")
PLAIN = f'{STACK}[stack.web]\nroot = "web"\n[env.staging]\n'
GUARDED = f"{STACK}[env.staging]\napprovals = {{ count = 1, users = ['carol'] }}\n"
PROMOTED = (
    f"{STACK}[env.staging]\n[env.prod]\npromote_from = 'staging'\nsoak = '1h'\napprovals = {{ count = 1 }}\n"
)


@pytest.fixture
def guarded(context: Context) -> World:
    return World(context, GUARDED)


@pytest.fixture
def promoted(context: Context) -> World:
    """prod, promoted from staging, where nothing was applied yet."""
    return World(context, PROMOTED)


def digest_of(world: World) -> str:
    return configuration_digest_of(world.context, "acme/infra", HEAD, world.policy, "infra")


def live(world: World, target: Target = STAGING) -> list[str]:
    """The status of the live approval, if there is one, and the run that it waits for."""
    with world.context.store.read() as tables:
        one = tables.approvals.live(target, 7)
    return [one.status, one.run_id] if one else []


def test_a_plan_is_made_for_each_target_and_the_command_is_to_be_repeated(context: Context) -> None:
    world = World(context, PLAIN)
    request = replace(world.request(), targets=(STAGING, WEB))
    refusal = refusal_of(plan_first, world.context, request, [STAGING, WEB])
    assert refusal.code == "unread"
    assert "`staging`, `staging/web`" in refusal.fact
    assert refusal.next_step == "Read it, then comment `/apply staging` again."
    assert [(run.kind, run.target) for run in world.enqueued] == [("plan", STAGING), ("plan", WEB)]


def test_a_plan_under_way_is_not_made_twice(context: Context) -> None:
    world = World(context, PLAIN)
    running = world.keep_run("plan", kind="plan", phase="planning", plan_id="")
    refusal_of(plan_first, world.context, world.request(), [STAGING])
    assert world.enqueued == []
    assert world.run(running.id).superseded_by == ""


def test_a_repeated_request_makes_one_plan(context: Context) -> None:
    world = World(context, PLAIN)
    for _ in range(2):
        assert refusal_of(plan_first, world.context, world.request(), [STAGING]).code == "unread"
    assert len(world.enqueued) == 1


def test_where_approval_is_needed_it_is_requested_with_the_plan(guarded: World) -> None:
    said = plan_first(guarded.context, guarded.request(when_approved=True), [STAGING])
    assert isinstance(said, ApprovalRequest)
    (plan,) = guarded.enqueued
    assert live(guarded) == ["planning", plan.id]
    assert said.state.approval.when_approved
    assert guarded.lock_of() is None


def test_the_approval_is_of_the_plan_under_way(guarded: World) -> None:
    guarded.keep_run("plan", kind="plan", phase="planning", plan_id="")
    plan_first(guarded.context, guarded.request(), [STAGING])
    assert live(guarded) == ["planning", "plan"]


def test_a_forced_apply_asks_for_no_approval_and_is_repeated_with_its_reason(guarded: World) -> None:
    options = ApplyOptions(forced="the site is down")
    refusal = refusal_of(plan_first, guarded.context, replace(guarded.request(), options=options), [STAGING])
    assert refusal.next_step == "Read it, then comment `/apply staging --force <reason>` again."
    assert live(guarded) == []


def test_a_plan_that_failed_at_once_is_not_put_to_approval(
    guarded: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own end says what was wrong."""

    def fail(run: Run, tables: Tables) -> None:
        tables.runs.move(run.id, ("queued",), "finished", outcome="failed")

    monkeypatch.setattr(guarded, "enqueue", fail)
    assert refusal_of(plan_first, guarded.context, guarded.request(), [STAGING]).code == "unread"
    assert live(guarded) == []


# what no plan would change


def refused_before_a_plan(world: World, target: Target = PROD) -> str:
    """The code of the refusal; nothing was planned, which would have shown the secrets to the pull request's code."""
    request = ApplyRequest(world.pull_context(), (target,), ANN, world.request().origin)
    code = refusal_of(plan_first, world.context, request, [target]).code
    assert world.enqueued == []
    assert live(world, target) == []
    return code


def test_what_is_not_promoted_is_refused_before_a_plan(promoted: World) -> None:
    assert refused_before_a_plan(promoted) == "unpromoted"


def test_who_may_not_plan_may_not_apply_either(context: Context) -> None:
    world = World(context, f"{STACK}[env.staging]\nplan_needs = 'maintain'\n")
    assert refused_before_a_plan(world, STAGING) == "permission"


def test_what_only_time_will_change_is_planned_and_put_to_approval(promoted: World) -> None:
    release = replace(
        samples.release("e1", STAGING),
        commit=HEAD,
        serial=0,
        created_at=NOW - timedelta(minutes=1),
        configuration=digest_of(promoted),
    )
    with promoted.context.store.begin() as tables:
        tables.releases.add(release)
    said = plan_first(promoted.context, promoted.request(PROD), [PROD])
    assert isinstance(said, ApprovalRequest)
    assert [run.target for run in promoted.enqueued] == [PROD]


# who is told


def test_approvers_whose_slack_user_is_known_are_told(guarded: World) -> None:
    guarded.keep_plan()
    approval = guarded.keep_approval(users=("carol", "dave"))
    said = approval_requested(guarded.context, [approval])
    assert isinstance(said, ApprovalRequest)
    assert said.state.approval.id == "a1"
    assert [one for one in guarded.due() if one.startswith("approval:")] == ["approval:a1/U09"]


def test_an_approval_that_nobody_knows_is_a_refusal(guarded: World) -> None:
    approval = replace(guarded.keep_approval(), id="gone")
    assert refusal_of(approval_requested, guarded.context, [approval]).code == "unapproved"
