"""`/why`: which failure is explained, from what is recorded, and what it says about GitHub Actions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.chat import Notice
from bot.domain.ports.forge import ForgeError, PullRequest
from bot.domain.ports.terraform import CommandResult
from bot.domain.refusal import Refusal, Refused
from bot.domain.run import Run
from bot.domain.why import Diagnostic, Why, WorkflowJob
from bot.services.applies.queue import record_refusal
from bot.services.context import Context
from bot.services.runs import RunEnd, fail_run, finish_run
from bot.services.why import explain
from tests.integration.storage import samples
from tests.unit.services.conftest import NOW
from tests.unit.services.world import HEAD, PROD, STAGING, World

REPO = "acme/infra"
DECLARED = Diagnostic("Undeclared", "x is not declared", "infra/main.tf", 9, 9)
MODULE = Diagnostic("Bad module", "", "infra/.terraform/modules/x/main.tf", 1, 1)
ENDED = CommandResult(1, "log", diagnostics=("Error: Undeclared",), errors=(DECLARED, MODULE))
JOB = WorkflowJob(
    11,
    22,
    "CI",
    "validate",
    "failure",
    "https://github.com/acme/infra/actions/runs/22/job/11",
    ("Plan",),
    datetime(2026, 11, 30, 10, 0, 10, tzinfo=UTC),
    datetime(2026, 11, 30, 10, 0, 20, tzinfo=UTC),
)


class Forge(World):
    """With GitHub Actions: the failed jobs of commits, and their logs."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.jobs: dict[str, list[WorkflowJob]] = {}
        self.logs: dict[int, str | ForgeError] = {}
        self.problem: ForgeError | None = None
        self.read_logs: list[int] = []

    def failed_jobs(self, _repository: str, head_sha: str) -> list[WorkflowJob]:
        if self.problem is not None:
            raise self.problem
        return self.jobs.get(head_sha, [])

    def job_log(self, _repository: str, job_id: int, _most: int) -> str:
        self.read_logs.append(job_id)
        log = self.logs[job_id]
        if isinstance(log, ForgeError):
            raise log
        return log


@pytest.fixture
def world(context: Context) -> Forge:
    return Forge(context)


def ended(world: World, run_id: str = "abcd1234", how: CommandResult | RunEnd = ENDED, **more: Any) -> Run:
    run = world.keep_run(run_id, **{"kind": "plan", "phase": "planning", "created_at": NOW, **more})
    if isinstance(how, RunEnd):
        finish_run(world.context, run, how)
    else:
        fail_run(world.context, run, how, next_step="`/plan`")
    return world.run(run_id)


def ask(world: World, named: str = "", pull: PullRequest | None = None) -> Why:
    answer = explain(world.context, REPO, pull or world.pulls[7], named)
    assert isinstance(answer, Why), answer
    return answer


def test_what_is_recorded_is_explained(world: Forge) -> None:
    run = ended(world)
    with world.context.store.begin() as tables:
        tables.runs.add_log(run.id, [f"line {number}" for number in range(60)])
    found = ask(world).run
    assert found is not None
    assert (found.run.id, found.step, found.cause.kind) == (run.id, "terraform plan", "configuration")
    assert [(one.file, one.tracked) for one in found.diagnostics] == [
        (DECLARED.file, True),
        (MODULE.file, False),
    ]
    assert found.log == tuple(f"line {number}" for number in range(35, 60))
    assert found.link == "/runs/abcd1234"
    assert found.later is None


def test_an_unreadable_copy_of_the_repository_loses_no_error(
    world: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_facts: object) -> list[str]:
        raise OSError("disk")

    monkeypatch.setattr(world, "files", broken, raising=False)
    world.context = replace(world.context, git=world)  # type: ignore[arg-type]
    ended(world)
    found = ask(world).run
    assert found is not None
    assert [one.tracked for one in found.diagnostics] == [False, False]


def test_the_newest_one_of_the_pull_request(world: Forge) -> None:
    world.open_pull(8)
    ended(world, "aaaa0001")
    ended(world, "aaaa0002", target=PROD)
    ended(world, "aaaa0003", pull=8)
    assert _id(ask(world)) == "aaaa0002"
    assert _id(ask(world, "staging")) == "aaaa0001"
    assert _id(ask(world, "aaaa0003")) == "aaaa0003"
    everywhere = explain(world.context, REPO, None, "")
    assert isinstance(everywhere, Why)
    assert _id(everywhere) == "aaaa0003"


def test_a_later_success_is_said(world: Forge) -> None:
    ended(world)
    ended(world, "bbbb", RunEnd("planned"))
    found = ask(world).run
    assert found is not None
    assert found.later is not None
    assert found.later.id == "bbbb"


def test_names_that_fit_nothing_or_several(world: Forge) -> None:
    ended(world, "aaaa0001")
    ended(world, "aaaa0002")
    for named, code in (
        ("aaaa", "which-run"),
        ("ffff", "no-run"),
        ("AAA", "no-run"),
        ("`x`", "no-run"),
        ("%", "no-run"),
    ):
        with pytest.raises(Refusal) as refusal:
            explain(world.context, REPO, world.pulls[7], named)
        assert refusal.value.code == code
    assert _id(ask(world, "AAAA0001")) == "aaaa0001"
    with pytest.raises(Refusal):  # another repository's runs are not found
        explain(world.context, "acme/shop", None, "aaaa0001")


def test_runs_that_did_not_fail(world: Forge) -> None:
    ended(world, "aaaa0001", RunEnd("planned"))
    world.keep_run("aaaa0002", kind="plan", phase="planning")
    for named, words in (
        ("aaaa0001", "The plan of staging (`aaaa0001`) succeeded."),
        ("aaaa0002", "still running"),
    ):
        answer = explain(world.context, REPO, world.pulls[7], named)
        assert isinstance(answer, Notice)
        assert words in answer.text
    nothing = explain(world.context, REPO, world.pulls[7], "")
    assert isinstance(nothing, Notice)
    assert nothing.text == "Nothing failed on #7."


def test_an_apply_that_failed_its_smoke_checks(world: Forge) -> None:
    end = RunEnd("applied", message="Applied, but its smoke checks failed.", next_step="Fix it.")
    ended(world, "aaaa0001", end, kind="apply", phase="verifying")
    with world.context.store.begin() as tables:
        bad = replace(samples.release("e1", STAGING), run_id="aaaa0001", verification="failed")
        tables.releases.add(bad)
    found = ask(world).run
    assert found is not None
    assert (found.cause.kind, found.step, found.cause.next_step) == (
        "smoke-failed",
        "smoke checks",
        "Fix it.",
    )


def test_an_apply_that_was_refused_before_there_was_a_run(world: Forge, clock: Any) -> None:
    ended(world)
    clock.pass_by(minutes=1)
    refusal = Refused("too-old", "This plan is older than 24 h.", "`/plan staging`")
    with world.context.store.begin() as tables:
        record_refusal(world.context, tables, world.request(), STAGING, refusal)
    answer = ask(world)
    refused = answer.refused
    assert refused is not None
    assert answer.run is None
    assert (refused.cause.kind, refused.cause.explanation) == ("plan-outdated", refusal.fact)
    assert (refused.target, refused.cause.next_step) == ("staging", "`/plan staging`")
    clock.pass_by(minutes=1)
    ended(world, "aaaa0002", RunEnd("applied"), kind="apply", phase="verifying")
    assert ask(world).refused is None
    ended(world, "aaaa0003")
    assert ask(world).refused is None


def test_a_run_of_another_pull_request_is_explained_by_its_own(world: Forge) -> None:
    world.open_pull(8, head_repository="eve/infra")
    expired = replace(ENDED, errors=(Diagnostic("ExpiredToken"),))
    ended(world, "aaaa0008", expired, pull=8)
    found = ask(world, "aaaa0008").run
    assert found is not None
    assert "from a fork" in found.cause.explanation


def test_jobs_of_the_latest_commit(world: Forge) -> None:
    world.jobs[HEAD] = [replace(JOB, id=number) for number in range(1, 6)]
    secret = "ghp_" + "a" * 36
    log = f"2026-11-30T10:00:12.0000000Z ExpiredToken {secret} s3cr3t-of-staging\n2026-11-30T10:00:13Z ##[error]no\n"
    world.logs = {1: log, 2: ForgeError("gone", status=410), 3: ForgeError("The log is larger than 64 MB.")}
    world.variables["STAGING_"] = {"TOKEN": "s3cr3t-of-staging"}
    answer = ask(world)
    assert world.read_logs == [1, 2, 3]
    assert answer.more_jobs == 2
    first, gone, large = answer.jobs
    assert (first.cause.kind, first.log) == ("credentials", ("ExpiredToken *** ***", "Error: no"))
    assert (gone.note, gone.log) == ("GitHub no longer has its log.", ())
    assert large.note == "The log is larger than 64 MB."


def test_a_workflow_that_never_started_has_no_log(world: Forge) -> None:
    world.jobs[HEAD] = [replace(JOB, id=0, conclusion="startup_failure", steps=())]
    (job,) = ask(world).jobs
    assert (job.cause.kind, job.log, job.note, world.read_logs) == ("workflow-invalid", (), "", [])


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (ForgeError("no", status=403), "needs the permission Actions: read"),
        (ForgeError("slow", status=429, retry_after=60.0), "right now"),
    ],
)
def test_github_actions_that_cannot_be_read_hide_nothing_else(
    world: Forge, problem: ForgeError, words: str
) -> None:
    world.problem = problem
    nothing = explain(world.context, REPO, world.pulls[7], "")
    assert isinstance(nothing, Notice)
    assert words in nothing.text
    ended(world)
    answer = ask(world)
    assert _id(answer) == "abcd1234"
    assert words in answer.note


def test_drift_checks_without_a_pull_request(world: Forge) -> None:
    ended(world, "dddd0001", kind="drift", pull=0)
    answer = explain(world.context, REPO, None, "dddd0001")
    assert isinstance(answer, Why)
    assert answer.run is not None
    assert "`/plan" not in answer.run.cause.next_step


def test_how_long_it_is_known(world: Forge) -> None:
    ended(world)
    with world.context.store.begin() as tables:
        assert tables.failures.forget(NOW + timedelta(days=1), 9) == 1
    found = ask(world).run
    assert found is not None
    assert found.cause.kind == "unknown"


def _id(answer: Why) -> str:
    return answer.run.run.id if answer.run else ""
