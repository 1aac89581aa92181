"""GitHub Actions on the stand-in: the failed jobs of a commit, and the ends of their logs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import httpx
import pytest

from bot.domain.ports.forge import ForgeError
from bot.github.download import download_end
from bot.github.scopes import actions
from bot.playground.github.workflow_records import WorkflowRun, WorkflowStep
from tests.integration.github.world import REPO, World

CHECKOUT = WorkflowStep("actions/checkout@v5")
PLAN = WorkflowStep("terraform plan", "failure", ("│ Error: ExpiredToken",))
JOBS: Mapping[str, tuple[WorkflowStep, ...]] = {"lint": (CHECKOUT,), "plan": (CHECKOUT, PLAN)}


def run(world: World, **more: str) -> WorkflowRun:
    return world.hub.run_workflow(REPO, world.sha, JOBS, **more)  # type: ignore[arg-type]


def log_of(world: World, made: WorkflowRun, most: int = 1 << 20) -> str:
    return world.forge.job_log(REPO, made.jobs[1].id, most)


def test_the_failed_jobs_of_a_commit(either: World) -> None:
    made = run(either)
    (job,) = either.forge.failed_jobs(REPO, either.sha)
    assert (job.id, job.run_id, job.workflow, job.name) == (made.jobs[1].id, made.id, "CI", "plan")
    assert (job.conclusion, job.steps) == ("failure", ("terraform plan",))
    assert job.started_at == made.jobs[1].times_of(2)[0]
    assert job.ended_at == made.jobs[1].times_of(2)[1]
    assert job.url.endswith(f"/acme/infra/actions/runs/{made.id}/job/{job.id}")
    assert either.forge.failed_jobs(REPO, "0" * 40) == []


def test_only_the_newest_run_of_a_workflow_counts(world: World) -> None:
    run(world)
    run(world, event="push")
    other = run(world, workflow="Docs")
    world.hub.run_workflow(REPO, world.sha, {"lint": [CHECKOUT]})
    found = [(job.workflow, job.run_id) for job in world.forge.failed_jobs(REPO, world.sha)]
    assert found[0] == ("Docs", other.id)
    assert [name for name, _ in found] == ["Docs", "CI"]


def test_a_workflow_file_that_github_does_not_accept(world: World) -> None:
    made = world.hub.run_workflow(REPO, world.sha, {}, workflow="Broken")
    (job,) = world.forge.failed_jobs(REPO, world.sha)
    assert (job.id, job.run_id, job.workflow, job.name) == (
        0,
        made.id,
        "Broken",
        ".github/workflows/broken.yml",
    )
    assert (job.conclusion, job.steps) == ("startup_failure", ())


def test_the_end_of_a_log(either: World) -> None:
    made = run(either)
    whole = log_of(either, made)
    assert whole.startswith("\ufeff")
    assert "Error: ExpiredToken" in whole
    end = log_of(either, made, 100)
    assert len(end.encode()) < 100
    assert whole.endswith(end)
    assert whole.removesuffix(end).endswith("\n")  # no part of a line, nor of a secret in it


def test_no_token_reaches_the_server_that_has_the_log(world: World) -> None:
    log_of(world, run(world))
    stored = [one for one in world.hub.exchanges if one.path.startswith("/_stored/")]
    assert [one.status for one in stored] == [200]
    assert "authorization" not in stored[0].headers


def test_a_log_that_is_gone_or_an_unknown_job(world: World) -> None:
    made = run(world)
    made.jobs[1].log = None
    for job, status in ((made.jobs[1].id, 410), (4711, 404)):
        with pytest.raises(ForgeError) as error:
            world.forge.job_log(REPO, job, 100)
        assert error.value.status == status


def test_an_address_expires(world: World) -> None:
    made = run(world)
    url = world.forge.wire.location(actions(REPO), f"/actions/jobs/{made.jobs[1].id}/logs")
    world.hub.state.log_addresses = {
        key: (log, until - timedelta(minutes=2))
        for key, (log, until) in world.hub.state.log_addresses.items()
    }
    with pytest.raises(ForgeError) as error:
        download_end(url, 100)
    assert error.value.status == 403


def test_a_log_that_is_too_large_or_too_slow(world: World) -> None:
    made = run(world)
    made.jobs[1].log = b"x" * 300_000
    url = world.forge.wire.location(actions(REPO), f"/actions/jobs/{made.jobs[1].id}/logs")
    with pytest.raises(ForgeError, match="larger than"):
        download_end(url, 100, largest=200_000)
    with pytest.raises(ForgeError, match="did not arrive"):
        download_end(url, 100, seconds=0.0)
    assert download_end(url, 100) == b"x" * 100


def test_a_server_that_does_not_answer() -> None:
    with pytest.raises(ForgeError, match="cannot be downloaded"):
        download_end(httpx.URL("http://127.0.0.1:9/"), 100)


@pytest.mark.parametrize("location", ["ftp://example.com/x", "file:///etc/passwd", ""])
def test_a_redirect_elsewhere_is_refused(
    world: World, location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = httpx.Response(
        302, headers={"location": location} if location else {}, request=httpx.Request("GET", "https://x/")
    )
    monkeypatch.setattr(type(world.forge.wire), "by", lambda *_facts, **_named: answer)
    with pytest.raises(ForgeError, match="does not say where"):
        world.forge.wire.location(actions(REPO), "/actions/jobs/1/logs")


def test_an_app_without_the_permission(world: World) -> None:
    run(world)
    world.app.permissions.pop("actions")
    with pytest.raises(ForgeError) as error:
        world.client().failed_jobs(REPO, world.sha)
    assert error.value.status == 403
    assert "`actions: read`" in str(error.value)
