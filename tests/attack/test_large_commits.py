"""Commits that cost more to read than to make."""

from __future__ import annotations

import os
import subprocess
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.domain.ports.git import Remote
from bot.git import Mirrors
from bot.playground.world import until
from bot.services.maintenance import tidy_worktrees
from bot.storage.database import Database
from bot.terraform.init.cache import InitCache
from bot.vault import Vault
from tests.fixtures.context import bare
from tests.fixtures.world import Share
from tests.integration.git.work import Work, make_deep
from tests.story.holds import Holds
from tests.story.story import FILES, MAIN, POLICY, Story

MANY = {f"many/{number // 500}/{number}.tf": "" for number in range(100_000)}
DEEP = "infra/" + "d/" * 1000 + "main.tf"


def in_mirror(story: Story, commit: str) -> bool:
    """Whether the bot has fetched a commit."""
    mirror = story.world.directory / "data/git/mirrors" / f"{story.repository}.git"
    return subprocess.run(["git", "cat-file", "-e", commit], cwd=mirror, capture_output=True).returncode == 0  # noqa: PLW1510


def test_nothing_of_an_untrusted_fork_is_fetched(story: Story) -> None:
    github = story.github
    trusted = story.propose()
    story.planned(trusted)
    fork = github.fork(story.repository, "dave")
    files = {"infra/main.tf": MAIN.replace("SIZE", "large"), **MANY}
    commit = github.commit_files(fork, "many", files, author="dave", message="Many")
    number = github.open_pull(story.repository, author="dave", head="many", title="Many", fork=fork)
    story.sees(number, "is not read and not planned until somebody with the `write` role has read it")
    for command in ("/status", "/plan", "/apply staging"):
        story.say(number, command, "dave")
    story.say(number, "/status", "ann")
    story.is_told(number, "is not read and not planned until")
    assert not in_mirror(story, commit)
    assert in_mirror(story, story.head(trusted))
    assert story.runs("plan", number) == []
    story.reacted(number, story.say(number, "/plan", "ann"), "-1")
    story.is_told(number, "has more than 50,000 files and directories")
    story.sees(number, "or ask the operator to raise `TOWPATH_MAX_PATHS`")
    story.is_sound()


def test_what_was_not_read_does_not_pass_a_gate(share: Share, holds: Holds) -> None:
    """What a commit affects is not known before it is read, so the check does not say that there is nothing to do."""
    policy = f"{POLICY}[env.prod]\npromote_from = 'staging'\napprovals = {{ count = 1 }}\n"
    story = Story(share(), files=FILES | {"envs/environments.toml": policy.encode()}, holds=holds)
    fork = story.github.fork(story.repository, "dave")
    commit = story.github.commit_files(fork, "docs", {"README.md": "Mine"}, author="dave", message="Mine")
    number = story.github.open_pull(story.repository, author="dave", head="docs", title="Mine", fork=fork)
    shown = partial(gate_of, story, commit)
    until(lambda: shown() == ("completed", "action_required"), what="the gate's check")
    story.say(number, "/plan", "ann")
    story.is_told(number, "touches no stack")
    until(lambda: shown() == ("completed", "success"), what="the gate's new check")


def gate_of(story: Story, commit: str) -> tuple[str, str | None]:
    """Status and conclusion of the gate's check on a commit."""
    checks = story.github.checks_on(story.repository, commit)
    return checks.get("towpath/gate/prod", ("", None, ""))[:2]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({DEEP: ""}, "has a directory more than 100 levels deep: `infra/d/d/"),
        ({f"infra/{'n' * 300}.tf": ""}, "or a name of more than 255: `infra/nnn"),
        (MANY, "has more than 50,000 files and directories"),
    ],
    ids=["deep", "long", "many"],
)
def test_a_branch_is_refused_by_the_limit_that_it_exceeds(
    story: Story, files: dict[str, str], said: str
) -> None:
    number = story.propose({"infra/main.tf": MAIN.replace("SIZE", "large"), **files})
    story.sees(number, said)
    story.reacted(number, story.say(number, "/plan staging"), "-1")
    story.is_told(number, said)
    other = story.propose()
    story.planned(other)
    story.applied(other)
    story.is_sound()


def test_housekeeping_goes_on_behind_what_is_too_deep(sqlite_url: str, vault: Vault, tmp_path: Path) -> None:
    """A worktree and a cached init are as deep as whoever wrote a module likes."""
    work = Work(tmp_path / "ann", tmp_path / "origin.git")
    commit = work.commit()
    mirrors = Mirrors(tmp_path / "data", allow_file=True)
    mirrors.fetch(Remote("acme/infra", f"file://{work.origin}"), [commit])
    inits = InitCache(tmp_path / "data/inits")
    staging = tmp_path / "data/worktrees/acme_infra/infra/staging"
    worktrees = [staging / (digit * 20) for digit in "abc"]
    for path in worktrees:
        mirrors.checkout("acme/infra", commit, path)
    unused = [inits.new() for _ in range(3)]
    journal = tmp_path / "data/journal/d"
    names = ["module" * 20] * 1200
    for path in (worktrees[0], unused[1], journal):
        make_deep(path / "modules", names)
    for path in (*worktrees, *unused, journal):
        os.utime(path, (0, 0))
    database = Database(sqlite_url, vault)
    terraform = SimpleNamespace(collect=lambda: inits.collect(older=1.0, largest=0))
    tidy_worktrees(bare(database, tmp_path / "data", git=mirrors, terraform=terraform))
    database.close()
    assert [path for path in (*worktrees, *unused, journal) if path.exists()] == []
