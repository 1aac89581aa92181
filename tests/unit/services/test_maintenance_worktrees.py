"""Only directories that nothing needs are deleted: no plan that can be applied, no run that is active, none just made."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from bot.services.context import Context
from bot.services.directories import journal_of, worktree_of
from bot.services.maintenance.worktrees import YOUNG, tidy_worktrees, worktrees
from tests.unit.services.world import World

ID, OTHER = "0123456789abcdef0123", "f" * 20


@pytest.fixture
def world(context: Context) -> World:
    return World(context)


def age(path: Path, seconds: float = YOUNG + 60) -> Path:
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


def worktree(world: World, run_id: str = ID, **more: Any) -> Path:
    """An old one of a plan run that has ended."""
    facts: dict[str, Any] = {"kind": "plan", "plan_id": "", "phase": "finished", **more}
    path = worktree_of(world.context, world.keep_run(run_id, **facts))
    path.mkdir(parents=True)
    return age(path)


def removed(world: World) -> list[str]:
    tidy_worktrees(world.context)
    return [call.removeprefix("remove ") for call in world.calls if call.startswith("remove ")]


def test_the_worktree_of_a_run_without_a_plan_is_deleted(world: World) -> None:
    worktree(world)
    worktree(world, OTHER)
    assert tidy_worktrees(world.context) == 2
    assert sorted(world.calls) == ["collect", f"remove {ID}", f"remove {OTHER}"]


@pytest.mark.parametrize(
    ("status", "kept"),
    [("fresh", True), ("applying", True), ("applied", False), ("failed", False), ("superseded", False)],
)
def test_one_whose_plan_can_be_applied_is_kept(world: World, status: str, kept: bool) -> None:
    """The plan is applied in this very directory."""
    path = worktree(world)
    world.keep_plan(ID, worktree=str(path), status=status)
    assert removed(world) == ([] if kept else [ID])


def test_once_the_pull_request_is_closed_its_plans_need_none(world: World) -> None:
    path = worktree(world)
    world.keep_plan(ID, worktree=str(path))
    world.open_pull(state="closed")
    assert removed(world) == [ID]


@pytest.mark.parametrize("phase", ["queued", "planning"])
def test_an_active_run_keeps_its_worktree_and_journal(world: World, phase: str) -> None:
    worktree(world, phase=phase)
    journal = journal_of(world.context, world.run(ID))
    journal.mkdir(parents=True)
    age(journal)
    assert removed(world) == []
    assert journal.exists()


def test_what_was_just_made_is_kept(world: World) -> None:
    """Its run may not be in the rows that were read."""
    age(worktree(world), YOUNG - 60)
    journal = world.context.data_dir / "journal" / OTHER
    journal.mkdir(parents=True)
    assert removed(world) == []
    assert journal.exists()


def test_journals_of_ended_runs_are_deleted(world: World) -> None:
    journal = world.context.data_dir / "journal" / OTHER
    (journal / "files").mkdir(parents=True)
    age(journal)
    tidy_worktrees(world.context)
    assert not journal.exists()


def test_without_any_directory_there_is_nothing_to_do(world: World) -> None:
    assert tidy_worktrees(world.context) == 0
    assert world.calls == ["collect"]


def test_worktrees_are_named_by_run_ids_at_any_depth(tmp_path: Path) -> None:
    names = [f"acme_infra/infra/prod/{ID}", f"acme_infra/infra/test/pr-7/{OTHER}"]
    others = ["acme_infra/infra/" + "x" * 20, f"acme_infra/{ID[:19]}", f"acme_infra/{ID.upper()}"]
    for name in (*names, *others):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / names[0] / "modules" / ("a" * 20)).mkdir(parents=True)  # the repository's own
    (tmp_path / "acme_infra" / ("a" * 20)).write_text("a file")
    assert sorted(worktrees(tmp_path)) == [tmp_path / name for name in names]
    assert worktrees(tmp_path / "missing") == []
