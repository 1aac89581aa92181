"""After a merge: main in staging and production, however it was merged, and whatever happened to the bot meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain.sync import Sync
from bot.playground.world import World, until
from tests.fixtures.world import MakeWorld
from tests.story.holds import Holds
from tests.story.kills import Kills
from tests.story.production import Production
from tests.story.story import MAIN

COMPARED = 'on_merge = "sync"'
APPLIED = 'on_merge = "apply"\napprovals = { count = 0 }'
"""Production takes what staging has verified, without approval."""


class Merging(Production):
    """Pull requests are merged in it."""

    def merge(self, number: int, method: str = "merge") -> str:
        """By bob; returns main's new commit."""
        return self.github.merge_pull(self.repository, number, actor="bob", method=method)

    def sync(self, environment: str = "staging") -> Sync | None:
        with self.tables() as tables:
            return tables.syncs.newest(self.target(environment))

    def is_synced(self, environment: str, commit: str, status: str) -> Sync:
        """Once the newest sync is of that commit, and ended so."""

        def look() -> Sync | None:
            found = self.sync(environment)
            return found if found and (found.commit, found.status) == (commit, status) else None

        return until(
            look, what=f"{environment} {status} at {commit[:7]}: {self.sync(environment)}\n{self.runs()[-2:]}"
        )


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_verified_commit_is_promoted_after_any_merge(world: World, holds: Holds, method: str) -> None:
    """staging has the pull request's commit. main has another one of the same files, and production gets it."""
    story = Merging(world, holds, staging=COMPARED, prod=APPLIED)
    number = story.promoted()
    story.reacted(number, story.say(number, "/plan prod"), "+1")
    story.planned(number, "prod")
    main = story.merge(number, method)
    story.is_synced("staging", main, "in_sync")
    story.is_synced("prod", main, "applied")
    assert (story.released("staging").commit, story.released("prod").commit) == (story.head(number), main)
    story.sees(number, f"✅ in sync with main at `{main[:7]}`")
    story.sees(number, f"✅ applied main at `{main[:7]}`")
    assert "waiting" not in story.status(number)
    (apply,) = [run for run in story.runs("apply", number) if run.target.environment == "prod"]
    assert (apply.actor.via, apply.actor.login) == ("system", "")
    story.is_sound()


def test_what_is_merged_without_an_apply_is_applied_by_command(world: World, holds: Holds) -> None:
    """Not the plan of before the merge, but main's; the lock is free afterwards."""
    story = Merging(world, holds, staging=COMPARED)
    number = story.propose()
    story.planned(number)
    main = story.merge(number, "squash")
    story.is_synced("staging", main, "differs")
    story.sees(number, f"⚠️ differs from main at `{main[:7]}`")
    story.shown(story.runs("sync")[-1].id)
    story.refused(number, f"/apply staging {story.head(number)[:7]}", "its plan is for")
    story.reacted(number, story.say(number, f"/apply staging {main[:7]}"), "rocket")
    story.is_synced("staging", main, "applied")
    assert story.released("staging").commit == main
    story.is_sound()


@pytest.mark.long
@pytest.mark.own_world
def test_a_bot_that_dies_and_one_that_was_away(make_world: MakeWorld, holds: Holds, tmp_path: Path) -> None:
    """Killed as it notes the merge, and as it queues the apply; then two pull requests are merged while it is off. Each
    commit of main is applied once, and both pull requests learn it."""
    kills = Kills(tmp_path)
    world = make_world(settings=kills.settings)
    story = Merging(world, holds, staging='on_merge = "apply"', prod="approvals = { count = 0 }")
    first = story.propose("medium")
    story.planned(first)
    kills.at("before", "INSERT INTO syncs")
    story.merge(first)
    kills.await_death(world, "with the merge")
    kills.at("before", "apply.asked")
    world.bot.start()
    kills.await_death(world, "with the apply")
    world.bot.start()
    main = story.github.state.pull(story.github.state.repo(story.repository), first).merge_sha or ""
    story.is_synced("staging", main, "applied")
    second = story.propose({"infra/more.tf": 'resource "terraform_data" "more" {}\n'}, author="bob")
    third = story.propose({"infra/main.tf": MAIN.replace("SIZE", "large")}, author="carol")
    for number in (second, third):
        story.planned(number)
    world.bot.kill()
    story.merge(second)
    main = story.merge(third)
    world.bot.start()
    found = story.is_synced("staging", main, "applied")
    assert found.pulls == (second, third)
    assert [run.outcome for run in story.runs("apply")] == ["applied", "applied"]
    for number in (second, third):
        story.sees(number, f"✅ applied main at `{main[:7]}`")
    story.is_sound()
