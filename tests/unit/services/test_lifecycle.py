"""The end of runs: what is recorded and shown once, and which queued work it lets begin."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest

from bot.domain.actors import Actor
from bot.domain.approvals import Approval
from bot.domain.chat import Result
from bot.domain.ports.state import Grant
from bot.domain.ports.store import Tables
from bot.domain.ports.terraform import CommandResult
from bot.domain.refusal import Refused
from bot.domain.run import Origin, Run
from bot.domain.states import LockInfo
from bot.domain.target import Target
from bot.services.context import Context
from bot.services.runs import (
    RunEnd,
    fail_run,
    failure_reason,
    finish_in,
    finish_run,
    interrupt_run,
    replan_command,
    stop_outcome,
)
from tests.integration.storage import samples
from tests.unit.services.conftest import NOW

STAGING = Target("acme/infra", "infra", "staging")
ANN = Actor("ann")


class World:
    """Notes what is enqueued, what is answered, and which runs are counted as ended."""

    def __init__(self, context: Context) -> None:
        me: Any = self
        self.queue: list[str] = []
        self.told: list[tuple[Origin, Result]] = []
        self.ended: list[Run] = []
        self.context = replace(context, work=me, tell=self.tell, ended=self.ended.append)
        with context.store.begin() as tables:
            tables.pulls.save(samples.pull(7))

    def enqueue(self, run: Run, _tables: Tables) -> None:
        self.queue.append(run.id)

    def tell(self, _tables: Tables, origin: Origin, _repository: str, _pull: int, result: Result) -> None:
        self.told.append((origin, result))

    def add(self, run_id: str = "r1", **more: Any) -> Run:
        facts: dict[str, Any] = {
            "target": STAGING,
            "actor": ANN,
            "origin": Origin("d1", comment=55, response_url="https://hooks.example.com/1"),
            "progress": {},
        }
        run = samples.run(run_id, **facts | more)
        with self.context.store.begin() as tables:
            tables.runs.add(run)
        return run

    def row(self, run_id: str = "r1") -> Run:
        with self.context.store.read() as tables:
            found = tables.runs.get(run_id)
        assert found is not None
        return found

    @property
    def reaction(self) -> str:
        with self.context.store.read() as tables:
            found = tables.surfaces.get("reaction:acme/infra/55")
        return str(found.wanted["reaction"]) if found else ""

    @property
    def shown(self) -> set[str]:
        with self.context.store.read() as tables:
            return {one.id for one in tables.surfaces.of_pull("acme/infra", 7)}


@pytest.fixture
def world(context: Context) -> World:
    return World(context)


def test_an_end_is_recorded_shown_and_counted(world: World) -> None:
    run = world.add(plan_id="p0")
    finish_run(world.context, run, RunEnd("failed", "It broke.", "Run `/plan staging`.", "T-ABCDEF"))
    row = world.row()
    assert (row.phase, row.outcome, row.message) == ("finished", "failed", "It broke.")
    assert (row.next_step, row.reference) == ("Run `/plan staging`.", "T-ABCDEF")
    assert (row.plan_id, row.finished_at) == ("p0", NOW)
    assert world.ended == [row]
    assert {"status:acme/infra#7", "card:acme/infra#7", f"check:{STAGING.key}#7"} <= world.shown


def test_the_plan_that_it_made_is_noted(world: World) -> None:
    finish_run(world.context, world.add(), RunEnd("planned", plan_id="p1"))
    assert world.row().plan_id == "p1"


def test_a_run_ends_once(world: World) -> None:
    run = world.add(kind="apply", phase="applying")
    with world.context.store.begin() as tables:
        assert finish_in(world.context, tables, run, RunEnd("applied"))
        assert not finish_in(world.context, tables, run, RunEnd("failed", "Too late."))
    assert (world.row().outcome, world.row().message) == ("applied", "")
    assert world.reaction == "rocket"
    assert len(world.ended) == 1


@pytest.mark.parametrize(
    ("kind", "outcome", "reaction"),
    [
        ("apply", "applied", "rocket"),
        ("plan", "planned", "+1"),
        ("plan", "superseded", "+1"),
        ("drift", "checked", "+1"),
        ("plan", "failed", "-1"),
        ("apply", "interrupted", "-1"),
    ],
)
def test_the_request_gets_a_reaction(world: World, kind: Any, outcome: Any, reaction: str) -> None:
    finish_run(world.context, world.add(kind=kind), RunEnd(outcome))
    assert world.reaction == reaction


def test_its_credentials_end_and_no_others(world: World) -> None:
    run = world.add()
    grants = [Grant(STAGING.key, run_id, True, NOW + timedelta(hours=1)) for run_id in ("r1", "r2")]
    with world.context.store.begin() as tables:
        for grant in grants:
            tables.credentials.issue(grant.run_id, "password", grant)
    finish_run(world.context, run, RunEnd("planned"))
    with world.context.store.read() as tables:
        assert tables.credentials.resolve("r1", "password") is None
        assert tables.credentials.resolve("r2", "password") == grants[1]


@pytest.mark.parametrize(
    ("outcome", "run_id", "status"),
    [("failed", "r1", "dead"), ("planned", "r1", "planning"), ("failed", "r2", "planning")],
)
def test_an_approval_ends_with_its_plan(world: World, outcome: Any, run_id: str, status: str) -> None:
    """Only if that failed, and only the approval of this plan."""
    approval = Approval(
        id="a1", target=STAGING, pull=7, run_id=run_id, plan_digest="", commit="c1", actor=ANN, origin=Origin("d1"),
        created_at=NOW, expires_at=NOW + timedelta(hours=1), count=1, status="planning",
    )  # fmt: skip
    with world.context.store.begin() as tables:
        tables.approvals.add(approval)
    finish_run(world.context, world.add(), RunEnd(outcome))
    with world.context.store.read() as tables:
        found = tables.approvals.get("a1")
    assert found is not None
    assert found.status == status
    assert found.why == ("its plan failed" if status == "dead" else "")


# drift checks


@pytest.mark.parametrize(
    ("said", "why"), [("No access.", "No access."), ("", "The drift check was stopped.")]
)
def test_who_asked_for_a_look_is_told_that_there_is_none(world: World, said: str, why: str) -> None:
    """Not at the address that Slack forgets."""
    run = world.add(kind="drift")
    finish_run(world.context, run, RunEnd("failed", said, "Ask again."))
    ((origin, answer),) = world.told
    assert answer == Refused("not-looked", f"No drift result for staging: {why}", "Ask again.")
    assert (origin.delivery, origin.index, origin.response_url) == ("ended:r1", 0, "")
    assert origin.comment == 55


@pytest.mark.parametrize(("outcome", "delivery"), [("checked", "d1"), ("failed", "")])
def test_nobody_is_told_of_a_look_that_succeeded_or_that_nobody_asked_for(
    world: World, outcome: Any, delivery: str
) -> None:
    finish_run(world.context, world.add(kind="drift", origin=Origin(delivery)), RunEnd(outcome))
    assert world.told == []


# what waited


def test_what_waited_for_an_apply_begins(world: World) -> None:
    """On its target, and what had not begun yet."""
    apply = world.add("apply", kind="apply", phase="applying")
    world.add("plan", pull=8, waits_for="apply")
    world.add("look", kind="drift", waits_for="apply")
    world.add("enqueued already", pull=9)
    world.add("elsewhere", target=samples.PROD, waits_for="another")
    finish_run(world.context, apply, RunEnd("failed"))
    assert sorted(world.queue) == ["look", "plan"]
    assert world.row("plan").waits_for == ""
    assert world.row("elsewhere").waits_for == "another"


def test_it_waits_on_while_another_apply_runs(world: World) -> None:
    apply = world.add("apply", kind="apply", phase="applying")
    other = world.add("other", kind="apply")
    world.add("plan", pull=8, waits_for="apply")
    finish_run(world.context, apply, RunEnd("applied"))
    assert world.queue == []
    assert world.row("plan").waits_for == "apply"
    finish_run(world.context, other, RunEnd("cancelled"))
    assert world.queue == ["plan"]


def test_the_end_of_a_plan_lets_nothing_begin(world: World) -> None:
    plan = world.add()
    world.add("look", kind="drift", waits_for="apply")
    finish_run(world.context, plan, RunEnd("planned"))
    assert world.queue == []


# interrupted


def interrupted(world: World, *, terminated: bool, **more: Any) -> Run:
    run = world.add(kind="apply", phase="applying", plan_id="p1", **more)
    with world.context.store.begin() as tables:
        tables.plans.add(samples.plan("p1", target=STAGING), samples.FILE)
        assert tables.plans.take("p1", "fresh", "applying")
        assert tables.states.lock(STAGING.key, LockInfo("l1"), "r1") is None
    interrupt_run(world.context, run, "The machine was restarted", terminated=terminated, ticket="T-ABCDEF")
    return world.row()


@pytest.mark.parametrize("terminated", [True, False])
def test_an_interrupted_apply_keeps_its_state_lock_unless_terraform_is_gone(
    world: World, terminated: bool
) -> None:
    run = interrupted(world, terminated=terminated)
    assert (run.outcome, run.reference) == ("interrupted", "T-ABCDEF")
    with world.context.store.read() as tables:
        assert (tables.states.locked(STAGING.key) is None) is terminated
        plan = tables.plans.get("p1")
    assert plan is not None
    assert plan.status == "failed"


def test_an_interrupted_apply_says_what_may_have_happened(world: World) -> None:
    progress = {
        "aws_instance.a": {"state": "started"},
        "aws_instance.b": {"state": "done"},
        "aws_instance.c": {"state": "progress"},
    }
    run = interrupted(world, terminated=True, progress=progress)
    assert run.message == (
        "The machine was restarted during this apply; it is not repeated automatically."
        " In progress at the time, may have completed: `aws_instance.a`, `aws_instance.c`."
    )
    assert run.next_step == "Run `/plan staging` to see what is left to do."


def test_an_interrupted_revert_is_called_one(world: World) -> None:
    run = interrupted(world, terminated=True, reverts="e1")
    assert run.message == "The machine was restarted during this revert; it is not repeated automatically."
    assert run.next_step == "Run `/revert staging` to see what is left to do."


def test_the_command_names_the_stack_if_there_are_several() -> None:
    run = samples.run(target=replace(STAGING, stack="web"))
    assert replan_command(run) == "Run `/plan staging web` to see what is left to do."


# stopped and failed


@pytest.mark.parametrize(
    ("ended", "rows", "outcome"),
    [
        (CommandResult(1, ""), {"cancel_by": "ann"}, None),
        (CommandResult(1, "", timed_out=True), {}, "timed_out"),
        (CommandResult(1, "", timed_out=True, interrupted=True), {"cancel_by": "ann"}, "timed_out"),
        (CommandResult(1, "", interrupted=True), {"cancel_by": "ann"}, "cancelled"),
        (CommandResult(1, "", interrupted=True), {"superseded_by": "r2"}, "superseded"),
        (CommandResult(1, "", interrupted=True), {"superseded_by": "r2", "cancel_by": "ann"}, "cancelled"),
    ],
)
def test_why_terraform_stopped(
    world: World,
    ended: CommandResult,
    rows: dict[str, str],
    outcome: Literal["timed_out", "cancelled", "superseded"] | None,
) -> None:
    """What was asked since it began counts, so the row is read again."""
    run = world.add(phase="planning")
    with world.context.store.begin() as tables:
        tables.runs.update(run.id, **rows)
    assert stop_outcome(world.context, run, ended) == outcome


@pytest.mark.parametrize(
    ("ended", "reason"),
    [
        (CommandResult(1, "log", diagnostics=("a", "b", "c", "d")), "a\nb\nc"),
        (CommandResult(1, "one\ntwo\nthree\nfour\n\n"), "two\nthree\nfour"),
        (CommandResult(3, " \n"), "Terraform ended with exit code 3."),
        (CommandResult(1, "", diagnostics=("`x` [y](http://z) <@U1>",)), "'x' [y] (http://z) < @U1>"),
    ],
)
def test_why_terraform_failed(ended: CommandResult, reason: str) -> None:
    assert failure_reason(ended) == reason


def test_a_failure_ends_the_run_with_the_reason_cut_to_a_length(world: World) -> None:
    run = world.add(phase="planning")
    fail_run(world.context, run, CommandResult(1, "x" * 5000), next_step="Fix it.")
    row = world.row()
    assert (row.outcome, row.next_step) == ("failed", "Fix it.")
    assert row.message == "x" * 4000
