"""What is planned again after an apply that changed the inputs of other stacks, once, and what is said about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.lock import Lock
from bot.domain.ports.forge import ForgeError, PullRequest
from bot.domain.run import Run
from bot.services.context import Context
from bot.services.pulls import replan_dependents
from tests.integration.storage import samples
from tests.unit.services.conftest import NOW
from tests.unit.services.order_world import ANN, APP, NETWORK, World


@pytest.fixture
def world(context: Context) -> World:
    made = World(context)
    made.state("vpc-2")
    made.run("n1", NETWORK, kind="apply", phase="finished", outcome="applied", pull=7)
    return made


def again(world: World, number: int = 7) -> list[Run]:
    """The plans of the app that were requested."""
    return [run for run in world.enqueued if run.pull == number and run.target == APP]


def test_every_open_pull_request_with_an_outdated_plan(world: World) -> None:
    for number in (7, 8):
        world.run(f"pa{number}", APP, phase="finished", outcome="planned", pull=number)
        world.plan(f"pa{number}", APP, vpc="vpc-1", pull=number)
    replan_dependents(world.context, "n1")
    assert [len(again(world, number)) for number in (7, 8)] == [1, 1]
    assert sorted((number, text) for number, _, text in world.told) == [
        (7, "staging/network was applied and changed `network.vpc_id`, so staging/app is planned again."),
        (
            8,
            "staging/network was applied by #7 and changed `network.vpc_id`, so staging/app is planned again.",
        ),
    ]


def test_entered_again_it_asks_and_tells_the_same(world: World) -> None:
    """A worker died after the plan was requested: the message has the same id, and there is no second plan."""
    world.run("pa", APP, phase="finished", outcome="planned")
    world.plan("pa", APP, vpc="vpc-1")
    replan_dependents(world.context, "n1")
    replan_dependents(world.context, "n1")
    assert len(again(world)) == 1
    assert len({delivery for _, delivery, _ in world.told}) == 1


def test_a_plan_with_the_same_values_stays(world: World) -> None:
    world.run("pa", APP, phase="finished", outcome="planned")
    world.plan("pa", APP, vpc="vpc-2")
    replan_dependents(world.context, "n1")
    assert (again(world), world.told) == ([], [])


def test_what_was_refused_for_want_of_an_output_is_planned(world: World) -> None:
    world.run("pa", APP, phase="finished", outcome="refused", pull=8)
    replan_dependents(world.context, "n1")
    assert len(again(world, 8)) == 1
    assert world.told[0][2] == "staging/network was applied by #7, so staging/app is planned now."


@pytest.mark.parametrize(("phase", "count"), [("planning", 1), ("queued", 0)])
def test_a_plan_that_is_being_made_may_have_old_values(world: World, phase: str, count: int) -> None:
    world.run("pa", APP, phase=phase, pull=8)
    replan_dependents(world.context, "n1")
    assert len(again(world, 8)) == count


def deployed(world: World, number: int) -> None:
    """The app was applied with an older value by a pull request."""
    world.run("pa", APP, phase="finished", outcome="planned", pull=number)
    world.plan("pa", APP, vpc="vpc-1", pull=number, status="applied")
    world.run("aa", APP, kind="apply", phase="finished", outcome="applied", plan_id="pa", pull=number)
    with world.context.store.begin() as tables:
        tables.releases.add(replace(samples.release("e1", APP), run_id="aa"))


def test_what_is_deployed_with_old_values_is_planned_where_it_was_applied(world: World) -> None:
    deployed(world, 8)
    replan_dependents(world.context, "n1")
    assert len(again(world, 8)) == 1


def test_and_where_the_network_was_applied(world: World) -> None:
    """Although that pull request does not change the app; unless somebody else has locked it."""
    deployed(world, 9)
    world.touched = ["network/main.tf"]
    with world.context.store.begin() as tables:
        tables.locks.take(Lock(APP, ANN, NOW, pull=9), NOW)
    replan_dependents(world.context, "n1")
    assert (again(world), again(world, 8)) == ([], [])
    with world.context.store.begin() as tables:
        tables.locks.release(APP)
    replan_dependents(world.context, "n1")
    assert (len(again(world)), again(world, 8)) == (1, [])


def test_a_pull_request_that_github_does_not_know_stops_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But while GitHub does not answer, all of it is repeated."""
    for number in (7, 8):
        world.run(f"pa{number}", APP, phase="finished", outcome="refused", pull=number)
    wait: list[float | None] = [1.0]
    pull = world.pull

    def ask(repository: str, number: int) -> PullRequest:
        if number == 7:
            raise ForgeError("no", status=404, retry_after=wait[0])
        return pull(repository, number)

    monkeypatch.setattr(world, "pull", ask)
    with pytest.raises(ForgeError):
        replan_dependents(world.context, "n1")
    assert world.enqueued == []
    wait[0] = None
    replan_dependents(world.context, "n1")
    assert (len(again(world)), len(again(world, 8))) == (0, 1)


def test_nothing_is_done_for_an_apply_that_is_gone(world: World) -> None:
    replan_dependents(world.context, "unknown")
    assert world.enqueued == []
