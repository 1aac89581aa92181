"""An apply starts once, with the plan that people read, and only what is true by then is in the rows before it does."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.domain.identity import EnvironmentSecrets
from bot.domain.ports.secrets import SecretsScope, SecretsUnavailable
from bot.domain.ports.terraform import CommandResult, Control, WorkDir
from bot.domain.refusal import Refusal
from bot.domain.target import Target
from bot.services.applies.execute import execute_apply
from bot.services.applies.failures import end_failed_run
from bot.services.context import Context
from bot.services.plans import OURS
from tests.integration.storage import samples
from tests.unit.services.world import IDENTITY, PLAIN, STAGING, World

WEB = Target("acme/infra", "web", "staging")


@pytest.fixture
def world(context: Context) -> World:
    """An apply of plan `p1` in the queue."""
    made = World(context)
    made.keep_plan()
    made.keep_run()
    return made


def unchanged(world: World, status: str = "fresh") -> None:
    """Terraform did not start, and the plan is as it was."""
    assert "apply" not in world.calls
    assert world.plan_status() == status


def test_the_plan_is_applied_as_it_was_saved_and_its_file_is_deleted(world: World) -> None:
    seen: dict[str, Any] = {}

    def apply(work_dir: WorkDir, file: Path, control: Control) -> CommandResult:
        seen.update(root=work_dir.root, content=file.read_bytes(), file=file, secrets=control.secrets)
        seen.update(mode=file.parent.stat().st_mode & 0o777)
        return CommandResult(0, "")

    world.on_apply = apply
    world.variables["STAGING_"] = {"TF_VAR_token": "s3cret"}
    execute_apply(world.context, "r1")
    plan_root = world.context.data_dir / "worktrees" / "p1" / "infra"
    assert (seen["root"], seen["content"]) == (plan_root, samples.FILE)
    assert "s3cret" in seen["secrets"]
    directory = world.context.data_dir / "plans" / "r1"
    assert (seen["file"], seen["mode"]) == (directory / "plan.tfplan", 0o700)
    assert not directory.exists()
    assert world.calls == ["checkout c", "init", "prove", "apply"]
    run = world.run()
    assert (run.phase, run.outcome, run.worker, world.plan_status()) == (
        "finished",
        "applied",
        "here",
        "applied",
    )


def test_the_file_is_deleted_also_where_terraform_raises(world: World) -> None:
    files = []

    def apply(_work_dir: WorkDir, file: Path, _control: Control) -> CommandResult:
        files.append(file)
        raise OSError("no memory")

    world.on_apply = apply
    with pytest.raises(OSError, match="no memory"):
        execute_apply(world.context, "r1")
    assert not files[0].parent.exists()
    assert (world.run().phase, world.plan_status()) == ("applying", "applying")


@pytest.mark.parametrize("error", [None, OSError("no memory")])
def test_its_token_is_there_only_while_it_runs(context: Context, error: OSError | None) -> None:
    world = World(replace(context, issuer="https://towpath.example.com"), PLAIN + IDENTITY)
    world.keep_plan()
    world.keep_run()
    paths = []

    def apply(work_dir: WorkDir, _file: Path, control: Control) -> CommandResult:
        path = Path(work_dir.env["AWS_WEB_IDENTITY_TOKEN_FILE"])
        paths.append(path)
        assert path.read_text().rpartition(".")[2] in control.secrets
        assert work_dir.env["AWS_ROLE_ARN"].endswith("role/write")
        if error:
            raise error
        return CommandResult(0, "")

    world.on_apply = apply
    with pytest.raises(OSError, match="no memory") if error else nullcontext():
        execute_apply(world.context, "r1")
    (path,) = paths
    assert path.parent == world.context.data_dir / "worktrees" / "p1" / OURS
    assert not path.exists()


def test_what_a_crash_must_know_is_committed_before_terraform_starts(world: World) -> None:
    with world.context.store.begin() as tables:
        tables.releases.add(samples.release("e0", STAGING))
    seen: list[Any] = []

    def apply(*_facts: object) -> CommandResult:
        with world.context.store.read() as tables:
            release = tables.releases.get("e0")
        seen.extend(
            [world.run().phase, world.plan_status(), world.actions, release.active if release else None]
        )
        return CommandResult(0, "")

    world.on_apply = apply
    execute_apply(world.context, "r1")
    assert seen == ["applying", "applying", ["apply.started"], False]
    entry = world.audit[0]
    assert {one["gate"] for one in entry.facts["gates"]} >= {"PlanIsCurrent", "Approved"}


@pytest.mark.parametrize("run_id", ["r1", "gone"])
def test_what_has_ended_or_is_unknown_is_left_alone(world: World, run_id: str) -> None:
    with world.context.store.begin() as tables:
        tables.runs.move("r1", ("queued",), "finished", outcome="cancelled")
    execute_apply(world.context, run_id)
    assert world.calls == []
    assert world.run().outcome == "cancelled"


def test_an_apply_that_had_started_is_never_started_again(world: World) -> None:
    with world.context.store.begin() as tables:
        tables.runs.move("r1", ("queued",), "applying")
        tables.plans.take("p1", "fresh", "applying")
    execute_apply(world.context, "r1")
    assert world.calls == ["outcome"]
    assert (world.run().outcome, world.plan_status()) == ("interrupted", "failed")


@pytest.mark.parametrize(("reverts", "word"), [("", "plan"), ("e1", "revert")])
def test_without_its_plan_it_is_refused(context: Context, reverts: str, word: str) -> None:
    world = World(context)
    world.keep_run(target=WEB, reverts=reverts)
    with pytest.raises(Refusal) as refused:
        execute_apply(world.context, "r1")
    assert (refused.value.code, refused.value.next_step) == ("no-plan", f"`/{word} staging web`")


def test_a_failed_init_ends_it_and_the_plan_may_be_tried_again(world: World) -> None:
    world.init_result = CommandResult(1, "", diagnostics=("Error: no such module",))
    execute_apply(world.context, "r1")
    run = world.run()
    assert (run.outcome, run.message, run.next_step) == (
        "failed",
        "Error: no such module",
        "`/plan staging` again.",
    )
    unchanged(world)


def test_cancelled_while_it_was_prepared_it_does_not_start(world: World) -> None:
    def cancel() -> None:
        with world.context.store.begin() as tables:
            tables.runs.update("r1", cancel_by="bob")

    world.on_init = cancel
    execute_apply(world.context, "r1")
    assert (world.run().outcome, world.run().message) == ("cancelled", "Cancelled by @bob before it started.")
    unchanged(world)


@pytest.mark.parametrize(
    ("happens", "code"),
    [
        (lambda world: world.open_pull(head_sha="d" * 40), "head-moved"),
        (lambda world: world.open_pull(state="closed"), "closed"),
        (lambda world: world.take_lock(8), "locked"),
        (lambda world: world.moved.append("infra/main.tf"), "base-moved"),
    ],
    ids=["pushed", "closed", "locked", "base branch"],
)
def test_the_gates_are_asked_again_right_before_it_starts(world: World, happens: Any, code: str) -> None:
    world.on_init = lambda: happens(world)
    execute_apply(world.context, "r1")
    assert world.run().outcome == "refused"
    assert world.run().message
    (entry,) = world.audit
    assert (entry.action, entry.facts["code"], entry.run_id) == ("apply.refused", code, "r1")
    unchanged(world)


def test_the_lock_of_a_pull_request_closed_meanwhile_is_released(world: World) -> None:
    world.take_lock(7)

    def apply(*_facts: object) -> CommandResult:
        world.open_pull(state="merged")
        return CommandResult(0, "")

    world.on_apply = apply
    execute_apply(world.context, "r1")
    assert world.run().outcome == "applied"
    assert world.lock_of() is None


def test_without_its_secrets_nothing_is_applied_and_the_plan_stays(world: World) -> None:
    def unavailable(_scope: SecretsScope) -> EnvironmentSecrets:
        raise SecretsUnavailable("The secrets of `staging` could not be read.", next_step="Ask.")

    with pytest.raises(SecretsUnavailable):
        execute_apply(replace(world.context, secrets=unavailable), "r1")
    unchanged(world)
    assert world.calls == []


def test_without_its_secrets_an_apply_ends_as_refused(world: World) -> None:
    error = SecretsUnavailable("The secrets of `staging` could not be read.", next_step="Ask.")
    end_failed_run(world.context, "r1", error, "")
    run = world.run()
    assert (run.outcome, run.message, run.next_step) == ("refused", error.what, "Ask.")
