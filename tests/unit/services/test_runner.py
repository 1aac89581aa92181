"""A run is dispatched once, whatever happens, and only the bot's own workflow run and a sealed result count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from bot.domain.ports.forge import ForgeError
from bot.domain.ports.terraform import Control
from bot.domain.refusal import Refusal
from bot.domain.runner import (
    RunnerRequest,
    RunnerResult,
    WorkflowRun,
    read_request,
    sealed_for,
    write_result,
)
from bot.services.context import Context, Delegate
from bot.services.runner import follow
from bot.services.runner.follow import hand_over
from bot.vault import Vault
from tests.unit.services.conftest import NOW, Clock
from tests.unit.services.world import World

KEY = "k" * 32
VAULT = Vault(KEY)


class Actions:
    """GitHub with one workflow run at a time. refuses: the status with which a dispatch fails, 0 for a lost answer."""

    def __init__(self) -> None:
        self.dispatched: list[Mapping[str, str]] = []
        self.runs: list[WorkflowRun] = []
        self.cancelled: list[int] = []
        self.artifacts: dict[str, bytes] = {}
        self.refuses: int | None = None
        self.listed = True

    def me(self) -> str:
        return "towpath[bot]"

    def dispatch_workflow(self, _repository: str, _file: str, branch: str, inputs: Mapping[str, str]) -> None:
        if self.refuses:
            raise ForgeError("no", status=self.refuses)
        self.dispatched.append(inputs)
        self.add(f"terraform-run {inputs['run']}", "towpath[bot]", branch)
        if self.refuses == 0:
            raise ForgeError("the answer was lost")

    def add(self, title: str, actor: str, branch: str) -> None:
        number = len(self.runs) + 1
        self.runs.append(WorkflowRun(number, title, actor, branch, "queued", "", f"https://x/{number}", NOW))

    def dispatched_runs(self, _repository: str, _file: str, _since: datetime) -> list[WorkflowRun]:
        return self.runs if self.listed else []

    def workflow_run(self, _repository: str, run_id: int) -> WorkflowRun:
        return replace(self.runs[run_id - 1], status="completed", conclusion="success")

    def cancel_workflow(self, _repository: str, run_id: int) -> None:
        self.cancelled.append(run_id)

    def workflow_artifact(self, _repository: str, _run_id: int, name: str) -> bytes | None:
        return self.artifacts.get(name)


@pytest.fixture
def actions() -> Actions:
    return Actions()


@pytest.fixture
def world(context: Context, actions: Actions, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World(context)
    made.keep_run(phase="preparing")
    monkeypatch.setattr(follow, "time", SimpleNamespace(sleep=lambda seconds: clock.pass_by(seconds=seconds)))
    forge: Any = actions
    monkeypatch.setattr(Context, "known", lambda *_: SimpleNamespace(default_branch="main"))
    delegate = Delegate(KEY, VAULT.open, lambda *_: None, lambda *_: None)
    made.context = replace(made.context, forge=forge, delegate=delegate)
    return made


def request_of(world: World) -> RunnerRequest:
    run = world.run()
    return RunnerRequest(run.id, "plan", run.target, run.pull, run.commit, "p", NOW + timedelta(hours=1))


def control(*, cancelled: bool = False) -> Control:
    made: Any = SimpleNamespace(on_progress=lambda _progress: None, cancelled=lambda: cancelled)
    return made  # type: ignore[no-any-return]


def seal(actions: Actions, world: World, context: str) -> None:
    sealed = VAULT.seal(write_result(RunnerResult("failed", "no")), context)
    actions.artifacts[f"result-{world.run().id}"] = sealed


def test_a_run_is_signed_dispatched_once_and_collected(world: World, actions: Actions) -> None:
    seal(actions, world, sealed_for(world.run().id, "plan"))
    found = hand_over(world.context, world.run(), request_of(world), control())
    assert found.result == RunnerResult("failed", "no")
    (inputs,) = actions.dispatched
    assert read_request(inputs["request"], [KEY]) == request_of(world)
    again = hand_over(world.context, world.run(), request_of(world), control())
    assert again == found
    assert len(actions.dispatched) == 1


def test_a_lost_answer_starts_nothing_twice(world: World, actions: Actions) -> None:
    actions.refuses = 0
    found = hand_over(world.context, world.run(), request_of(world), control())
    assert (found.result, found.conclusion) == (None, "success")
    assert len(actions.dispatched) == 1


def test_what_github_never_lists_is_given_up(world: World, actions: Actions) -> None:
    actions.listed = False
    with pytest.raises(Refusal, match="no such run appeared"):
        hand_over(world.context, world.run(), request_of(world), control())
    assert len(actions.dispatched) == 1


@pytest.mark.parametrize("status", [403, 404, 422])
def test_a_dispatch_that_github_refuses_is_told(world: World, actions: Actions, status: int) -> None:
    actions.refuses = status
    with pytest.raises(Refusal, match=r"GitHub did not start `terraform-run\.yml`"):
        hand_over(world.context, world.run(), request_of(world), control())
    assert world.run().dispatched_at is None


def test_runs_of_others_do_not_count(world: World, actions: Actions) -> None:
    title = f"terraform-run {world.run().id}"
    actions.add(title, "mallory", "main")
    actions.add(title, "towpath[bot]", "mallory/branch")
    found = hand_over(world.context, world.run(), request_of(world), control())
    assert found.url == "https://x/3"


def test_a_stop_cancels_the_workflow_run_once(world: World, actions: Actions) -> None:
    found = hand_over(world.context, world.run(), request_of(world), control(cancelled=True))
    assert found.stopped
    assert actions.cancelled == [1]


@pytest.mark.parametrize("where", ["actions/other/plan", "actions/r1/apply"])
def test_a_result_of_another_run_or_phase_does_not_count(world: World, actions: Actions, where: str) -> None:
    seal(actions, world, where)
    with pytest.raises(Refusal, match="not sealed with the bot's key"):
        hand_over(world.context, world.run(), request_of(world), control())


def test_without_a_key_nothing_is_started(world: World, actions: Actions) -> None:
    delegate = Delegate("", VAULT.open, lambda *_: None, lambda *_: None)
    with pytest.raises(Refusal, match="no key for GitHub Actions"):
        hand_over(replace(world.context, delegate=delegate), world.run(), request_of(world), control())
    assert actions.dispatched == []
