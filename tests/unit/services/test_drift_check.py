"""A drift check compares what is deployed, records only what is new, and leaves nothing that could be applied."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.domain.chat import Drifted
from bot.domain.drift import Baseline, Drift
from bot.domain.ports.terraform import CommandResult, Control, PlanOptions, PlanResult, WorkDir
from bot.domain.run import Origin
from bot.services.context import Context
from bot.services.drift.check import execute_drift_check
from tests.contract.state_store import state
from tests.integration.storage import samples
from tests.unit.services.world import PLAIN, STAGING, World

RELEASED = "e" * 40
NOTHING: dict[str, Any] = {"format_version": "1.2"}


def changed(*names: str) -> dict[str, Any]:
    """`show -json` of a refresh-only plan that found these resources changed outside Terraform."""
    return {**NOTHING, "resource_drift": [update(name, 1, 2) for name in names]}


def restored(*names: str) -> dict[str, Any]:
    """`show -json` of a full plan that would change them back."""
    return {**NOTHING, "resource_changes": [update(name, 2, 1) for name in names]}


def update(name: str, before: int, after: int) -> dict[str, Any]:
    change = {"actions": ["update"], "before": {"size": before}, "after": {"size": after}}
    return {"address": f"t.{name}", "mode": "managed", "type": "t", "name": name, "change": change}


class Checking(World):
    """Terraform answers with `found` to a refresh-only plan and with `pending` to a full one."""

    def __init__(self, context: Context, policy: str = PLAIN) -> None:
        super().__init__(context, policy)
        self.found, self.pending = NOTHING, NOTHING
        self.plan_result = CommandResult(0, "")
        self.on_plan: Any = lambda: None
        self.files: list[Path] = []  # type: ignore[assignment]

    def plan(self, work_dir: WorkDir, out: Path, _control: Control, options: PlanOptions) -> PlanResult:
        self.calls.append("refresh" if options.refresh_only else "plan")
        out.write_bytes(b"secrets")
        self.files.append(out)
        self.roots = work_dir.root
        self.on_plan()
        return PlanResult(self.plan_result, True, self.found if options.refresh_only else self.pending)

    def drifted(self, *names: str) -> None:
        """These were changed outside Terraform, and a plan would change them back."""
        self.found, self.pending = changed(*names), restored(*names)

    def check(self, run_id: str = "r1", **more: Any) -> None:
        """A check that ann requested in a comment."""
        facts: dict[str, Any] = {
            "kind": "drift",
            "plan_id": "",
            "commit": "",
            "origin": Origin(f"d-{run_id}"),
            **more,
        }
        self.keep_run(run_id, **facts)
        execute_drift_check(self.context, run_id)

    @property
    def reports(self) -> list[Drift]:
        with self.context.store.read() as tables:
            return list(tables.drifts.of_target(STAGING, 9))

    def baseline(self, lineage: str = "", serial: int = 0) -> Baseline | None:
        with self.context.store.read() as tables:
            return tables.baselines.at(STAGING, lineage, serial)


@pytest.fixture
def world(context: Context) -> Checking:
    """Release `e1` is deployed; reports go to channel C1."""
    made = Checking(replace(context, channel="C1"))
    with context.store.begin() as tables:
        tables.releases.add(replace(samples.release("e1", STAGING), commit=RELEASED))
    return made


def test_what_is_deployed_is_planned_twice_and_nothing_is_left_to_apply(world: Checking) -> None:
    world.check()
    run = world.run()
    assert (run.outcome, run.commit) == ("checked", RELEASED)
    assert world.calls == ["checkout e", "init", "prove", "refresh", "plan", "remove r1"]
    plans = world.context.data_dir / "plans"
    assert world.files == [plans / "r1" / "plan.tfplan"] * 2
    assert list(plans.iterdir()) == []
    assert world.reports == []
    ((pull, said),) = world.told
    assert isinstance(said, Drifted)
    assert (pull, said.found.clean, said.past) == (7, True, ())


def test_a_report_is_made_once_and_so_is_its_end(world: Checking) -> None:
    world.drifted("a")
    world.check("r1")
    (first,) = world.reports
    assert (first.outside, first.pending) == (1, 1)
    assert (first.run_id, first.release_id, first.commit) == ("r1", "e1", RELEASED)
    assert f"drift:{first.id}" in world.due()
    world.check("r2")
    assert world.reports == [first]
    world.drifted()
    world.check("r3")
    assert [one.clean for one in world.reports] == [True, False]
    said: Any = [result for _, result in world.told]
    assert [len(one.past) for one in said] == [1, 1, 2]


def test_asked_in_the_channel_the_reply_is_the_report(world: Checking) -> None:
    world.drifted("a")
    world.check(origin=Origin("d1", channel="C1"))
    (report,) = world.reports
    assert f"drift:{report.id}" not in world.due()
    assert len(world.told) == 1


@pytest.mark.parametrize("run_id", ["r1", "gone"])
def test_what_has_ended_or_is_unknown_is_left_alone(world: Checking, run_id: str) -> None:
    world.keep_run("r1", kind="drift", phase="finished", outcome="cancelled")
    execute_drift_check(world.context, run_id)
    assert (world.calls, world.run().outcome) == ([], "cancelled")


def test_after_a_crash_it_is_made_again(world: Checking) -> None:
    world.drifted("a")
    world.check(phase="planning")
    assert (world.run().outcome, len(world.reports)) == ("checked", 1)


# what a provider fills in after an apply


def test_what_the_first_check_of_a_state_reads_is_its_baseline(world: Checking) -> None:
    world.kind, world.bucket.data, world.found = "s3", state(4), changed("a")
    world.check("r1")
    first = world.baseline("one", 4)
    assert first is not None
    assert len(first.values) == 1
    world.found = changed("a", "b")
    world.check("r2")
    assert world.baseline("one", 4) == first
    said: Any = [result.found for _, result in world.told]
    assert [[one["address"] for one in found.summary["ignored"]] for found in said] == [[], ["t.b"]]
    assert [found.clean for found in said] == [True, True]
    assert world.reports == []


def test_it_counts_for_that_state_alone(world: Checking) -> None:
    world.kind, world.bucket.data, world.found = "s3", state(4), changed("a")
    world.check("r1")
    world.bucket.data, world.found = state(5), changed("b")
    world.check("r2")
    first, second = world.baseline("one", 4), world.baseline("one", 5)
    assert first is None
    assert second is not None
    assert len(second.values) == 1


def test_of_a_state_that_moved_meanwhile_there_is_none(world: Checking) -> None:
    def push() -> None:
        world.bucket.data = state(5)

    world.kind, world.bucket.data, world.found, world.on_plan = "s3", state(4), changed("a"), push
    world.check()
    assert world.run().outcome == "checked"
    assert (world.baseline("one", 4), world.baseline("one", 5)) == (None, None)


# what cannot be compared


@pytest.mark.parametrize("release", [None, "inactive"])
def test_where_it_is_not_known_what_is_deployed(context: Context, release: str | None) -> None:
    world = Checking(context)
    if release:
        with context.store.begin() as tables:
            tables.releases.add(samples.release("e1", STAGING))
            tables.releases.deactivate(STAGING)
    world.check()
    run = world.run()
    assert (run.outcome, world.calls) == ("refused", [])
    assert run.next_step == "Run `/plan staging` to see what is left to do."
    ((_, said),) = world.told
    assert said.fact.startswith(
        "No drift result for staging: The last apply to staging failed or is still running"
    )


def test_an_environment_that_the_policy_no_longer_has(world: Checking) -> None:
    world.policies[world.tip] = PLAIN.replace("staging", "other").encode()
    world.check()
    assert (world.run().outcome, world.run().message) == ("refused", "`staging` is no longer in the policy.")
    assert world.calls == []


def test_an_apply_that_starts_meanwhile_makes_the_result_worthless(world: Checking) -> None:
    def apply() -> None:
        with world.context.store.begin() as tables:
            tables.releases.deactivate(STAGING)

    world.drifted("a")
    world.on_plan = apply
    world.check()
    run = world.run()
    assert (run.outcome, world.reports, world.baseline()) == ("superseded", [], None)
    assert run.next_step == "Run `/drift staging` when it has finished."


def test_a_failed_plan_ends_it_with_the_reason_and_no_report(world: Checking) -> None:
    world.plan_result = CommandResult(1, "", diagnostics=("Error: no quota",))
    world.check()
    run = world.run()
    assert (run.outcome, run.message) == ("failed", "Error: no quota")
    assert run.next_step == "Run `/drift staging` to check again."
    assert world.calls[-2:] == ["refresh", "remove r1"]
    assert not world.files[0].exists()
    assert (world.reports, world.baseline()) == ([], None)


def test_a_failed_init_ends_it_and_its_worktree_is_removed(world: Checking) -> None:
    world.init_result = CommandResult(1, "", diagnostics=("Error: no module",))
    world.check()
    assert (world.run().message, world.calls[-1]) == ("Error: no module", "remove r1")


def test_a_stopped_one_says_so(world: Checking) -> None:
    world.plan_result = CommandResult(1, "", interrupted=True)
    world.check(cancel_by="bob")
    assert (world.run().outcome, world.run().message) == ("cancelled", "The drift check was stopped.")


def test_an_error_keeps_the_file_from_staying_too(world: Checking) -> None:
    def fail() -> None:
        raise OSError("no memory")

    world.on_plan = fail
    with pytest.raises(OSError, match="no memory"):
        world.check()
    assert not world.files[0].exists()
    assert world.calls[-1] == "remove r1"
    assert world.run().active


def test_after_a_revert_the_files_that_it_added_are_there(world: Checking) -> None:
    with world.context.store.begin() as tables:
        tables.releases.add(
            replace(samples.release("e2", STAGING), run_id="r0", reverts="e1", created_at=world.context.now())
        )
    world.keep_run("r0", phase="finished", plan_id="p0")
    world.keep_plan("p0", reverts="e1", additions={"moved.tf": "moved {}"})
    seen = []
    world.on_plan = lambda: seen.append((world.roots / "moved.tf").read_text())
    world.check()
    assert seen == ["moved {}", "moved {}"]
