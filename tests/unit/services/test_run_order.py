"""Runs that come after others: they start when those ended well, and otherwise end and say why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.run import Outcome
from bot.domain.target import Target
from bot.services.context import Context
from bot.services.runs import RunEnd, cancel_runs, finish_run, sweep_waiting_runs
from tests.integration.storage import samples
from tests.unit.services.test_lifecycle import ANN, World

NETWORK, APP, WEB = (Target("acme/infra", stack, "staging") for stack in ("network", "app", "web"))


@pytest.fixture
def world(context: Context) -> World:
    return World(context)


def chain(world: World, kind: str = "plan") -> None:
    """The network runs, the app waits for it, and web for the app."""
    world.add("network", kind=kind, target=NETWORK, phase="planning")
    world.add("app", kind=kind, target=APP, after=("network",))
    world.add("web", kind=kind, target=WEB, after=("app",))


def end(world: World, run_id: str, outcome: Outcome, **more: Any) -> None:
    finish_run(world.context, world.row(run_id), RunEnd(outcome, **more))


def states(world: World) -> dict[str, tuple[str | None, tuple[str, ...]]]:
    return {name: (world.row(name).outcome, world.row(name).after) for name in ("network", "app", "web")}


def test_each_starts_when_the_one_before_has_ended(world: World) -> None:
    chain(world)
    end(world, "network", "planned")
    assert (world.queue, states(world)["app"]) == (["app"], (None, ()))
    assert states(world)["web"] == (None, ("app",))
    end(world, "app", "planned")
    assert world.queue == ["app", "web"]


def test_what_failed_stops_all_that_come_after(world: World) -> None:
    """Each names the one right before it, so that people can follow the chain."""
    chain(world)
    end(world, "network", "failed", message="no such thing")
    assert world.queue == []
    assert [world.row(name).outcome for name in ("network", "app", "web")] == ["failed", "refused", "refused"]
    assert world.row("app").message == (
        "Not planned: the plan of staging/network failed, and staging/app comes after it."
    )
    assert world.row("app").next_step == "Fix it and push, or run `/plan staging` again."
    assert world.row("web").message == (
        "Not planned: the plan of staging/app was refused, and staging/web comes after it."
    )


def test_a_refused_apply_is_recorded(world: World) -> None:
    chain(world, "apply")
    end(world, "network", "timed_out")
    assert world.row("app").next_step == "Run `/plan staging network` to see what is left to do there."
    with world.context.store.read() as tables:
        entries = [(one.action, one.target, one.facts["code"]) for one in tables.audit.entries()]
    assert entries == [
        ("apply.refused", APP.key, "upstream-failed"),
        ("apply.refused", WEB.key, "upstream-failed"),
    ]


def test_an_apply_whose_checks_failed_stops_the_next(world: World) -> None:
    """People may apply it all the same, by its name. A plan does not mind."""
    chain(world, "apply")
    world.add("plan", target=APP, after=("network",))
    with world.context.store.begin() as tables:
        made = replace(samples.release("e1", NETWORK), run_id="network", verification="failed")
        tables.releases.add(made)
    end(world, "network", "applied")
    assert (world.row("app").outcome, world.queue) == ("refused", ["plan"])
    assert world.row("app").message == (
        "Not applied: the smoke checks of staging/network failed, and staging/app comes after it."
    )
    assert (
        world.row("app").next_step == "Fix it and push, or run `/apply staging app` to apply it all the same."
    )


def test_what_was_left_waiting_is_found(world: World) -> None:
    """A worker that knew nothing of waiting runs ended what they come after."""
    chain(world)
    world.add("other", target=NETWORK, pull=8)
    world.add("late", target=APP, pull=8, after=("other",))
    for run_id, outcome in (("network", "planned"), ("other", "failed")):
        with world.context.store.begin() as tables:
            tables.runs.update(run_id, phase="finished", outcome=outcome)
    for _ in range(2):
        sweep_waiting_runs(world.context)
    assert (world.queue, world.row("late").outcome, world.row("web").after) == (["app"], "refused", ("app",))


def test_all_that_it_comes_after_have_to_end(world: World) -> None:
    chain(world)
    world.add("other", target=Target("acme/infra", "dns", "staging"))
    world.add("late", target=WEB, after=("network", "other"))
    end(world, "network", "planned")
    assert world.row("late").after == ("other",)
    end(world, "other", "planned")
    assert world.queue == ["app", "late"]


def test_it_also_waits_for_an_apply_of_its_own_target(world: World) -> None:
    world.add("apply", kind="apply", target=APP, phase="applying", pull=8)
    world.add("network", target=NETWORK)
    world.add("app", target=APP, after=("network",), waits_for="apply")
    end(world, "network", "planned")
    assert (world.queue, world.row("app").after) == ([], ())
    end(world, "apply", "failed")
    assert world.queue == ["app"]
    world.add("again", target=APP, kind="apply", phase="applying", pull=8)
    world.add("network2", target=NETWORK)
    world.add("app2", target=APP, after=("network2",), waits_for="again")
    end(world, "again", "applied")
    assert (world.queue, world.row("app2").waits_for) == (["app"], "")
    end(world, "network2", "planned")
    assert world.queue == ["app", "app2"]


def test_a_newer_plan_takes_the_place_of_a_superseded_one(world: World) -> None:
    chain(world)
    with world.context.store.begin() as tables:
        tables.runs.update("network", superseded_by="newer")
    end(world, "network", "superseded")
    assert states(world)["app"] == (None, ("newer",))
    world.add("newer", target=NETWORK)
    end(world, "newer", "planned")
    assert world.queue == ["app"]


def test_a_push_supersedes_all(world: World) -> None:
    chain(world)
    end(world, "network", "superseded")
    assert [world.row(name).outcome for name in ("app", "web")] == ["superseded", "superseded"]


def test_an_end_that_is_told_twice_starts_nothing_twice(world: World) -> None:
    chain(world)
    network = world.row("network")
    for _ in range(2):
        finish_run(world.context, network, RunEnd("planned"))
    assert world.queue == ["app"]


def test_cancelled_are_all_of_them(world: World) -> None:
    chain(world, "apply")
    with world.context.store.begin() as tables:
        tables.runs.update("network", phase="queued")
    answer = cancel_runs(world.context, samples.pull(7), ANN, "write")
    assert [world.row(name).outcome for name in ("network", "app", "web")] == ["cancelled"] * 3
    assert str(answer).index("staging/network") < str(answer).index("staging/app")
    assert world.queue == []


def test_an_apply_of_another_pull_request_that_was_refused_stops_nothing(world: World) -> None:
    world.add("network", kind="apply", target=NETWORK, pull=8)
    world.add("app", kind="apply", target=APP, after=("network",))
    end(world, "network", "refused")
    assert world.queue == ["app"]
