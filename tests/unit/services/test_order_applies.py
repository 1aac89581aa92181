"""The start and the end of an apply whose stack others come after, or that comes after one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.run import Run
from bot.services.applies.execute import execute_apply
from bot.services.context import Context
from tests.integration.storage import samples
from tests.unit.services.ended_apply import FAILED, OK, applying, finish
from tests.unit.services.world import STAGING, World

UPSTREAM = (
    '[stack.app]\nroot = "app"\nafter = ["infra"]\n{inputs}[stack.infra]\nroot = "infra"\n[env.staging]\n'
)
INPUTS = 'inputs = { vpc_id = "infra.vpc_id" }\n'
DOWNSTREAM = (
    '[stack.infra]\nroot = "infra"\nafter = ["network"]\n[stack.network]\nroot = "network"\n[env.staging]\n'
)


class Queue:
    """Keeps the applies whose dependents are to be planned again."""

    def __init__(self) -> None:
        self.replans: list[str] = []

    def enqueue_replans(self, applied: Run, _tables: object) -> None:
        self.replans.append(applied.id)


@pytest.mark.parametrize(
    ("inputs", "ended", "wanted"), [(INPUTS, OK, ["r1"]), ("", OK, []), (INPUTS, FAILED, [])]
)
def test_dependents_are_planned_after_a_success(
    context: Context, inputs: str, ended: Any, wanted: list[str]
) -> None:
    world, queue = World(context, UPSTREAM.format(inputs=inputs)), Queue()
    work: Any = queue
    world.context = replace(world.context, work=work)
    finish(applying(world), ended)
    assert queue.replans == wanted


@pytest.mark.parametrize(("phase", "outcome"), [("applying", "refused"), ("queued", "applied")])
def test_no_apply_starts_while_one_runs_upstream(context: Context, phase: str, outcome: str) -> None:
    """It was queued before the other one was."""
    world = World(context, DOWNSTREAM)
    world.keep_plan()
    world.keep_run()
    other = samples.run("n1", kind="apply", target=replace(STAGING, stack="network"), pull=9, phase=phase)
    with world.context.store.begin() as tables:
        tables.runs.add(other)
    execute_apply(world.context, "r1")
    assert world.run().outcome == outcome
    if outcome == "refused":
        assert (
            world.run().message == "An apply of #9 is running on staging/network, and staging comes after it."
        )
        assert "apply" not in world.calls
