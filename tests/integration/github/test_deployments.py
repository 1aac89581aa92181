"""Deployments on the stand-in: what each state of an apply and of its release says there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.release import Release
from bot.domain.run import Run
from bot.domain.target import Target
from bot.git import Mirrors
from bot.services.context import Context, stable_id
from bot.storage.database import Database
from bot.surfaces import deployment
from tests.fixtures.context import bare
from tests.integration.github.world import REPO, World
from tests.integration.storage import samples

POLICY = (
    '[stack.infra]\nroot = "infra"\n[env.staging]\n[env.prod]\nproduction = true\n'
    '[env.test]\ninstance = "pr-{pr}"\n'
)
STAGING, PROD = Target(REPO, "infra", "staging"), Target(REPO, "infra", "prod")
TEST = Target(REPO, "infra", "test", "pr-1")
FAILED = ({"name": "healthz", "ok": False, "message": "503", "seconds": 1.0},)


@pytest.fixture
def context(either: World, sqlite_url: str, vault: Any, tmp_path: Path) -> Iterator[Context]:
    either.hub.commit_files(
        REPO, "main", {"envs/environments.toml": POLICY}, author="carol", message="Policy"
    )
    database = Database(sqlite_url, vault)
    yield bare(database, tmp_path / "data", forge=either.forge, git=Mirrors(tmp_path / "data"))
    database.close()


def apply(context: Context, sha: str, number: int = 1, target: Target = PROD, **more: Any) -> Run:
    facts = {
        "kind": "apply",
        "target": target,
        "pull": 1,
        "commit": sha,
        "actor": samples.BOB,
        "phase": "applying",
    }
    at = samples.NOW + timedelta(minutes=number)
    made = samples.run(
        f"apply-{number}-{target.environment}", **facts | {"created_at": at, "progress": {}} | more
    )
    with context.store.begin() as tables:
        tables.runs.add(made)
        subject = made.id
        tables.surfaces.want(
            samples.surface(f"deployment:{subject}", kind="deployment", subject=subject, pull=1)
        )
    return made


def finish(context: Context, run: Run, outcome: str = "applied", message: str = "", **release: Any) -> None:
    with context.store.begin() as tables:
        tables.runs.update(run.id, phase="finished", outcome=outcome, message=message)
        if outcome == "applied":
            left = Release(
                stable_id(run.id, "release"),
                run.target,
                run.id,
                "d",
                run.commit,
                1,
                run.actor,
                1,
                context.now(),
            )
            tables.releases.add(replace(left, **release))


def project(context: Context, run: Run) -> None:
    with context.store.read() as tables:
        found = tables.surfaces.get(f"deployment:{run.id}")
    assert found is not None
    shown = replace(deployment.project(context, found), due_at=None)
    with context.store.begin() as tables:
        tables.surfaces.save(shown)


def seen(world: World) -> list[tuple[str, str, list[str]]]:
    """Each deployment's environment and description, and its states in turn with what they say."""
    return [
        (one.environment, one.description or "", [f"{s.state} {s.description}".strip() for s in one.states])
        for one in world.hub.state.deployments.values()
    ]


def test_it_is_a_success_when_its_checks_have_passed(either: World, context: Context) -> None:
    run = apply(context, either.sha, target=STAGING)
    project(context, run)
    with context.store.begin() as tables:
        tables.runs.update(run.id, phase="verifying")
    project(context, run)
    finish(context, run, verification="running", url="https://staging.example.com")
    project(context, run)
    assert seen(either) == [("staging", "Apply of #1 by @bob", ["in_progress"])]
    with context.store.begin() as tables:
        tables.releases.update(stable_id(run.id, "release"), verification="passed")
    project(context, run)
    project(context, run)
    assert seen(either)[0][2] == ["in_progress", "success"]
    (one,) = either.hub.state.deployments.values()
    assert [state.environment_url for state in one.states] == ["", "https://staging.example.com"]
    assert (one.production, one.transient) == (False, False)


@pytest.mark.parametrize(
    ("outcome", "release", "said"),
    [
        ("applied", {}, "success"),
        ("applied", {"verification": "passed"}, "success"),
        (
            "applied",
            {"verification": "failed", "checks": FAILED},
            "failure applied, but smoke check healthz failed",
        ),
        ("applied", {"verification": "failed"}, "failure applied, but not verified"),
        ("failed", {}, "failure Error: quota"),
        ("interrupted", {}, "error Error: quota"),
        ("timed_out", {}, "error Error: quota"),
    ],
)
def test_how_it_ends(either: World, context: Context, outcome: str, release: Any, said: str) -> None:
    run = apply(context, either.sha)
    project(context, run)
    finish(context, run, outcome, "Error: quota\n\non line 3", **release)
    project(context, run)
    assert seen(either)[0][2] == ["in_progress", said]
    (one,) = either.hub.state.deployments.values()
    assert one.production


def test_an_apply_that_never_began_has_none(either: World, context: Context) -> None:
    for number, outcome in enumerate(("refused", "cancelled", "superseded")):
        run = apply(context, either.sha, number, phase="preparing")
        project(context, run)
        finish(context, run, outcome)
        project(context, run)
    assert seen(either) == []


def test_a_forced_one_says_so(either: World, context: Context) -> None:
    run = apply(context, either.sha, forced="the site is down " * 20)
    project(context, run)
    finish(context, run, verification="passed")
    project(context, run)
    environment, description, states = seen(either)[0]
    assert environment == "prod"
    assert description.startswith("forced by @bob: the site is down")
    assert len(description) == 140
    assert states == [f"in_progress {description}", f"success {description}"]


@pytest.mark.parametrize("target", [PROD, STAGING, TEST], ids=str)
def test_only_the_newest_is_active(either: World, context: Context, target: Target) -> None:
    """GitHub makes the earlier ones inactive, but not production and transient ones."""
    runs = [apply(context, either.sha, number, target) for number in (1, 2, 3)]
    elsewhere = apply(context, either.sha, 4, PROD if target is STAGING else STAGING)
    for run in (elsewhere, *runs):
        project(context, run)
        finish(context, run)
        project(context, run)
    for run in runs:  # shown again in whatever order: what is replaced stays so
        project(context, run)
    ends = [states[-1].split()[0] for environment, _, states in seen(either)]
    assert ends == ["success", "inactive", "inactive", "success"]
    assert all(states.count("success") == 1 for *_, states in seen(either))
