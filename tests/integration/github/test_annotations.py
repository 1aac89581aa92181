"""Terraform's errors in the check of the run that failed: sent once, and gone with a later run of the same commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.domain.ports.forge import CheckRun, ForgeError, PostedCheckRun
from bot.domain.ports.surfaces import Surface
from bot.domain.target import Target
from bot.domain.why import Diagnostic, Failure, Reason
from bot.git import Mirrors
from bot.services.context import Context
from bot.storage.database import Database
from bot.surfaces import plan_check
from tests.fixtures.context import bare
from tests.integration.github.world import REPO, World, make
from tests.integration.storage import samples

POLICY = '[stack.infra]\nroot = "infra"\n[env.staging]\n'
STAGING = Target(REPO, "infra", "staging")
ERROR = Diagnostic("Undeclared", "x is not declared", "infra/main.tf", 1, 1, tracked=True)


@pytest.fixture
def context(world: World, sqlite_url: str, vault: Any, tmp_path: Path) -> Iterator[Context]:
    with closing(Database(sqlite_url, vault)) as database:
        yield at(world, database, tmp_path)


class NoProviders:
    """A Terraform that is asked only which providers the files use."""

    def providers(self, *_facts: object) -> tuple[()]:
        return ()


def at(world: World, database: Database, directory: Path) -> Context:
    """A context over the stand-in, whose pull request is known."""
    world.hub.commit_files(REPO, "main", {"envs/environments.toml": POLICY}, author="carol", message="Policy")
    ports: dict[str, Any] = {"git": Mirrors(directory / "data"), "terraform": NoProviders()}
    context = bare(database, directory / "data", forge=world.forge, **ports)
    context.refresh(REPO, world.number)
    return context


def end(context: Context, run_id: str, sha: str, *errors: Diagnostic, **more: Any) -> None:
    """A plan of staging failed with these errors."""
    facts = {"target": STAGING, "pull": 1, "commit": sha, "phase": "finished", "outcome": "failed", **more}
    run = samples.run(run_id, **facts)
    with context.store.begin() as tables:
        tables.runs.add(run)
        if errors:
            tables.failures.add(
                Failure(run_id, "planning", samples.NOW, Reason(exit_code=1, diagnostics=errors))
            )


def project(context: Context) -> Surface:
    subject = f"{STAGING.key}#1"
    with context.store.read() as tables:
        known = tables.surfaces.get(f"check:{subject}")
    surface = known or Surface(f"check:{subject}", "check", subject, REPO, 1)
    posted = plan_check.project(context, surface)
    with context.store.begin() as tables:
        tables.surfaces.save(posted)
    return posted


def shown(world: World) -> list[list[str]]:
    """The annotations of each of the stand-in's checks, oldest first."""
    return [[one["title"] for one in check.annotations] for check in world.hub.state.checks.values()]


def test_an_error_is_shown_once_at_its_line(context: Context, world: World) -> None:
    end(context, "r1", world.sha, ERROR, replace(ERROR, tracked=False))
    project(context)
    (check,) = world.hub.state.checks.values()
    assert check.annotations == [
        {
            "path": "infra/main.tf",
            "start_line": 1,
            "end_line": 1,
            "annotation_level": "failure",
            "title": "Undeclared",
            "message": "x is not declared",
        }
    ]
    with context.store.begin() as tables:
        tables.runs.update("r1", message="Something else to say.")
    project(context)
    assert "Something else" in check.output["summary"]
    assert shown(world) == [["Undeclared"]]


def test_a_later_run_of_the_commit_gets_a_check_of_its_own(context: Context, world: World) -> None:
    end(context, "r1", world.sha, ERROR)
    first = project(context)
    end(context, "r2", world.sha, phase="planning", outcome=None)
    second = project(context)
    assert second.external["check_id"] != first.external["check_id"]
    assert shown(world) == [["Undeclared"], []]
    with context.store.begin() as tables:
        tables.runs.update("r2", phase="finished", outcome="failed")
    project(context)
    assert len(shown(world)) == 2


def test_a_lost_response_neither_doubles_nor_loses_them(
    context: Context, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    end(context, "r1", world.sha, ERROR)
    send = world.forge.check

    def lost(*facts: Any) -> PostedCheckRun:
        send(*facts)
        raise ForgeError("the response was lost")

    monkeypatch.setattr(world.forge, "check", lost)
    with pytest.raises(ForgeError):
        project(context)
    monkeypatch.undo()
    project(context)
    assert shown(world) == [["Undeclared"]]
    project(context)
    assert shown(world) == [["Undeclared"]]


def test_a_request_that_never_arrived_is_sent_again(
    context: Context, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    end(context, "r1", world.sha, phase="planning", outcome=None)
    project(context)
    with context.store.begin() as tables:
        tables.runs.update("r1", phase="finished", outcome="failed")
        tables.failures.add(Failure("r1", "planning", samples.NOW, Reason(diagnostics=(ERROR,))))

    def refuse(_repository: str, _check: CheckRun, _check_id: int | None) -> PostedCheckRun:
        raise ForgeError("502", status=502)

    monkeypatch.setattr(world.forge, "check", refuse)
    with pytest.raises(ForgeError):
        project(context)
    assert shown(world) == [[]]
    monkeypatch.undo()
    project(context)
    assert shown(world) == [["Undeclared"]]


def test_a_revert_is_of_another_commit(context: Context, world: World) -> None:
    end(context, "r1", "0" * 40, ERROR, reverts="e1")
    project(context)
    assert not any(shown(world))


def test_commit_statuses_have_no_room_for_them(sqlite_url: str, vault: Any, tmp_path: Path) -> None:
    world = make(tmp_path / "git", token=True)
    with closing(world), closing(Database(sqlite_url, vault)) as database:
        context = at(world, database, tmp_path)
        end(context, "r1", world.sha, ERROR)
        project(context)
        assert world.hub.state.checks == {}
        assert [one.state for one in world.hub.state.statuses.values()] == ["failure"]
