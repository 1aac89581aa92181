"""Requests for plans and applies of several stacks: in order, each run after those of the stacks before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.approvals import Approval
from bot.domain.chat import RunsStarted
from bot.domain.run import Origin
from bot.services.applies import ApplyOptions, ApplyRequest, apply_approved, request_apply
from bot.services.context import Context
from bot.services.order import inputs_for, outdated_inputs, upstream_applying, write_inputs
from bot.services.plans import PlanRequest, RevertTarget, request_plans
from bot.services.runs import RunEnd, finish_run
from tests.fixtures.refusals import refusal_of
from tests.integration.storage import samples
from tests.unit.services.conftest import NOW
from tests.unit.services.order_world import ANN, APP, NETWORK, POLICY, World
from tests.unit.services.test_apply_path import HEAD


@pytest.fixture
def world(context: Context) -> World:
    return World(context)


def plans(world: World, *targets: Any, seed: str = "s1", **more: Any) -> RunsStarted:
    asked = PlanRequest(world.pull_context(), targets or (APP, NETWORK), ANN, Origin("d1"), seed, **more)
    return request_plans(world.context, asked)


def apply(world: World, *targets: Any, delivery: str = "d2", number: int = 7, **more: Any) -> Any:
    options = ApplyOptions(**more)
    return request_apply(
        world.context,
        ApplyRequest(world.pull_context(number), targets or (NETWORK, APP), ANN, Origin(delivery), options),
    )


# plans


def test_the_network_is_planned_first(world: World) -> None:
    network, app = plans(world).runs
    assert (network.target, app.target, app.after) == (NETWORK, APP, (network.id,))
    assert world.enqueued == [network]
    assert [run.id for run in plans(world).runs] == [network.id, app.id], "entered again after a crash"
    assert world.enqueued == [network]


def test_a_plan_of_the_app_alone_follows_what_is_under_way(world: World) -> None:
    """A plan of this pull request, and an apply of any; not another pull request's plan."""
    planning = world.run("n1", NETWORK, phase="planning")
    world.run("n2", NETWORK, phase="planning", pull=8)
    applying = world.run("n3", NETWORK, kind="apply", phase="applying", pull=8)
    (app,) = plans(world, APP).runs
    assert sorted(app.after) == [planning.id, applying.id]
    assert world.enqueued == []


def test_planned_again_it_follows_the_newer_plan(world: World) -> None:
    first = plans(world)
    second = plans(world, seed="s2")
    assert second.runs[1].after == (second.runs[0].id,)
    assert [run.outcome for run in world.runs()] == ["superseded", "superseded", None, None]
    only_network = plans(world, NETWORK, seed="s3")
    assert world.runs()[3].after == (only_network.runs[0].id,)
    assert first.runs[1].after == (first.runs[0].id,)


def test_a_revert_follows_nothing(world: World) -> None:
    world.run("n1", NETWORK, phase="planning")
    target = RevertTarget(to=samples.release("e1", APP), undone="d" * 40)
    (made,) = plans(world, APP, revert_to=target).runs
    assert (made.after, world.enqueued) == ((), [made])


# applies


def test_both_are_applied_in_order(world: World) -> None:
    world.state("vpc-1")
    world.plan("pa", APP, vpc="vpc-1")
    world.plan("pn", NETWORK, lineage="l", serial=1)
    started = apply(world, APP, NETWORK)
    network, app = started.runs
    assert (network.target, app.target, app.after) == (NETWORK, APP, (network.id,))
    assert world.enqueued == [network]
    assert started.at_once, "so that nobody is told what the status shows"
    finish_run(world.context, network, RunEnd("applied"))
    assert [run.id for run in world.enqueued] == [network.id, app.id]


def test_the_app_alone_is_refused_while_the_network_has_changes(world: World) -> None:
    world.plan("pn", NETWORK)
    world.plan("pa", APP)
    refusal = refusal_of(apply, world, APP)
    assert (refusal.code, refusal.next_step) == ("upstream-first", "`/apply staging network`")
    assert world.runs() == []


def test_it_follows_an_apply_of_another_pull_request(world: World) -> None:
    world.touched = ["app/main.tf"]
    other = world.run("n1", NETWORK, kind="apply", phase="applying", pull=8)
    world.plan("pa", APP)
    started = apply(world, APP)
    assert started.runs[0].after == (other.id,)
    assert started.behind == {APP.key: other}
    assert not started.at_once, "since people wait for somebody else"


def test_what_is_applied_already_is_left_out(world: World) -> None:
    world.state("vpc-1")
    world.plan("pn", NETWORK, status="applied")
    world.plan("pa", APP, vpc="vpc-1")
    assert world.names(apply(world).runs) == ["apply app"]
    assert refusal_of(apply, world, NETWORK, delivery="d3").code == "spent"


def test_what_cannot_be_planned_yet_comes_later(world: World) -> None:
    """Nothing was ever applied: the network is, and the app is planned with its outputs after that."""
    world.plan("pn", NETWORK)
    started = apply(world)
    assert (world.names(started.runs), started.later) == (["apply network"], (APP,))
    refusal = refusal_of(apply, world, APP, delivery="d3")
    assert (refusal.code, refusal.next_step) == (
        "no-input",
        "Run `/apply staging network`; staging/app is then planned automatically.",
    )


def test_outdated_inputs_are_refused(world: World) -> None:
    world.touched = ["app/main.tf"]
    world.state("vpc-2")
    world.plan("pa", APP, vpc="vpc-1")
    refusal = refusal_of(apply, world, APP)
    assert (refusal.code, refusal.next_step) == ("inputs-changed", "`/plan staging app`")


# inputs


def test_inputs_come_from_the_recorded_state(world: World, tmp_path: Any) -> None:
    policy = world.pull_context().policy
    assert refusal_of(inputs_for, world.context, policy, APP).code == "no-input"
    version = world.state("vpc-1")
    given = inputs_for(world.context, policy, APP)
    assert given == {"vpc_id": {"stack": "network", "output": "vpc_id", "value": "vpc-1", "version": version}}
    assert inputs_for(world.context, policy, NETWORK) == {}
    (file,) = write_inputs(tmp_path, given)
    assert (file.read_text(), file.stat().st_mode & 0o777) == ('{"vpc_id": "vpc-1"}', 0o600)
    assert write_inputs(tmp_path, {}) == ()


def test_a_state_that_only_has_another_serial_changes_nothing(world: World) -> None:
    world.plan("pa", APP, vpc="vpc-1")

    def outdated() -> tuple[str, ...]:
        with world.context.store.read() as tables:
            plan = tables.plans.get("pa")
            assert plan is not None
            return outdated_inputs(world.context, tables, [plan]).get(APP, ())

    assert outdated() == ("network.vpc_id",), "there is no state any more"
    world.state("vpc-1")
    assert outdated() == ()
    world.state("vpc-1", 2)
    assert outdated() == ()
    world.state("vpc-2", 3)
    assert outdated() == ("network.vpc_id",)


# approvals, and the start of an apply


def test_a_completed_approval_waits_for_what_comes_first(context: Context) -> None:
    """It is not over: once the network is applied, the app is, without another command."""
    world = World(context, f"{POLICY}approvals = {{ count = 1 }}\n")
    world.state("vpc-1")
    world.plan("pn", NETWORK)
    world.plan("pa", APP, vpc="vpc-1")
    approval = Approval(
        id="a1", target=APP, pull=7, run_id="pa", plan_digest=samples.plan().digest, commit=HEAD, actor=ANN,
        origin=Origin("d1"), created_at=NOW, expires_at=NOW + timedelta(hours=1), count=0, when_approved=True,
        status="open",
    )  # fmt: skip
    with context.store.begin() as tables:
        tables.approvals.add(approval)
    apply_approved(world.context, approval)
    with context.store.begin() as tables:
        kept = tables.approvals.get("a1")
        assert tables.plans.take("pn", "fresh", "applied")
    assert kept is not None
    assert (kept.status, world.enqueued) == ("open", [])
    apply_approved(world.context, approval)
    assert world.names(world.enqueued) == ["apply app"]


@pytest.mark.parametrize(("phase", "refused"), [("queued", False), ("preparing", True), ("applying", True)])
def test_an_apply_that_started_there_in_the_meantime(world: World, phase: str, refused: bool) -> None:
    world.run("n1", NETWORK, kind="apply", phase=phase, pull=8)
    with world.context.store.read() as tables:
        found = upstream_applying(tables, world.pull_context().policy, APP)
        assert upstream_applying(tables, world.pull_context().policy, NETWORK) is None
    assert (found is not None) == refused
