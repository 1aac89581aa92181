"""The directories of a run: below the data directory, one per run, whatever the names are."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.target import Target
from bot.services.context import Context
from bot.services.directories import journal_of, read_untrusted, worktree_of
from tests.integration.storage import samples

RUN = samples.run("r1", target=Target("acme/infra", "web", "staging", "pr-7"))


def test_where_they_are(context: Context, tmp_path: Path) -> None:
    assert (
        worktree_of(context, RUN) == tmp_path / "worktrees" / "acme_infra" / "web" / "staging" / "pr-7" / "r1"
    )
    assert journal_of(context, RUN) == tmp_path / "journal" / "r1"


def test_no_two_runs_share_one(context: Context) -> None:
    runs = [RUN, replace(RUN, id="r2"), replace(RUN, target=replace(RUN.target, instance=""))]
    assert len({worktree_of(context, run) for run in runs}) == 3
    assert journal_of(context, runs[0]) != journal_of(context, runs[1])


@pytest.mark.parametrize("stack", ["a/../../b", "/etc", "ä b"])
def test_no_name_leads_out(context: Context, tmp_path: Path, stack: str) -> None:
    found = worktree_of(context, replace(RUN, target=replace(RUN.target, stack=stack)))
    assert found.resolve().relative_to(tmp_path.resolve()).parts[:2] == ("worktrees", "acme_infra")
    assert len(found.relative_to(tmp_path).parts) == 6


# files that sandboxed code could write


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    file = tmp_path / "tree" / "infra" / "file"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"1234")
    assert read_untrusted(tmp_path / "tree", file, 4) == b"1234"
    assert read_untrusted(tmp_path / "tree", file, 3) is None


@pytest.mark.parametrize("missing", ["file", "infra", "tree"])
def test_what_is_missing_is_none_also_with_its_directories(tmp_path: Path, missing: str) -> None:
    """A worktree is gone where a plan was made on another machine, and the run's end must not fail for that."""
    tree = tmp_path / "tree"
    existing = {"file": tree / "infra", "infra": tree, "tree": tmp_path}[missing]
    existing.mkdir(parents=True, exist_ok=True)
    assert read_untrusted(tree, tree / "infra" / "file", 9) is None


@pytest.mark.parametrize("linked", ["file", "directory", "pipe"])
def test_no_link_is_followed_and_no_pipe_waited_for(tmp_path: Path, linked: str) -> None:
    outside, tree = tmp_path / "outside", tmp_path / "tree"
    outside.mkdir()
    (outside / "file").write_bytes(b"secret")
    (tree / "infra").mkdir(parents=True)
    if linked == "directory":
        (tree / "infra").rmdir()
        (tree / "infra").symlink_to(outside)
    elif linked == "file":
        (tree / "infra" / "file").symlink_to(outside / "file")
    else:
        os.mkfifo(tree / "infra" / "file")
    assert not read_untrusted(tree, tree / "infra" / "file", 9)
