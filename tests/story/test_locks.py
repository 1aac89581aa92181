"""Who may apply where: claims of pull requests, people's locks, and those who wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.playground.world import World, until
from bot.storage.engines import open_engine
from bot.storage.tables import locks
from tests.story.holds import Holds
from tests.story.story import FILES, POLICY, Story


def test_a_claim_and_its_waiting_list(story: Story) -> None:
    """ann applies; bob has to wait, is told once when ann's is closed, and reads a fresh plan before he applies."""
    anns, bobs = story.propose("medium"), story.propose("large", author="bob")
    story.planned(anns)
    story.planned(bobs)
    story.applied(anns)
    comment = story.say(bobs, "/apply staging", "bob")
    told = story.is_told(bobs, "staging is locked: ")
    assert f"#{anns}" in told
    story.reacted(bobs, comment, "-1")
    story.say(bobs, "/apply staging", "bob")
    until(lambda: len(story.answers(bobs)) == 2, what="the second refusal")
    story.github.close_pull(story.repository, anns, actor="ann")
    story.is_told(bobs, "a fresh plan is running")
    until(lambda: len(story.runs("plan", bobs)) == 2, what="a fresh plan")
    story.planned(bobs)
    story.reacted(bobs, story.say(bobs, "/apply staging", "bob"), "rocket")
    story.is_sound()
    assert len([text for text in story.answers(bobs) if "a fresh plan is running" in text]) == 1
    assert [run.pull for run in story.runs("apply") if run.outcome == "applied"] == [anns, bobs]


def test_a_persons_lock(story: Story) -> None:
    """carol locks by hand; ann cannot unlock it with write, bob can with maintain."""
    number = story.propose()
    story.planned(number)
    story.reacted(number, story.say(number, "/lock staging load test until noon", "carol"), "+1")
    story.sees(number, "load test until noon")
    story.reacted(number, story.say(number, "/apply staging"), "-1")
    story.is_told(number, "load test until noon")
    comment = story.say(number, "/unlock staging")
    story.is_told(number, "`maintain`")
    story.reacted(number, comment, "-1")
    story.reacted(number, story.say(number, "/unlock staging", "bob"), "+1")
    story.planned(number)
    story.applied(number)
    story.is_sound()


def test_an_expiring_lock(world: World, holds: Holds) -> None:
    """A lock with an end keeps ann out until then; afterwards the environment is free without anybody's doing."""
    files = FILES | {"envs/environments.toml": (POLICY + 'lock_expires = "1h"\n').encode()}
    story = Story(world, "acme/expiring", files, holds=holds)
    number = story.propose()
    story.planned(number)
    story.reacted(number, story.say(number, "/lock staging only an hour", "carol"), "+1")
    with story.tables() as tables:
        lock = tables.locks.get(story.target())
    assert lock is not None
    assert lock.expires_at == lock.created_at + timedelta(hours=1)
    story.reacted(number, story.say(number, "/apply staging"), "-1")
    story.is_told(number, "only an hour")
    engine = open_engine(f"sqlite:///{world.environment()['TOWPATH_DATA_DIR']}/towpath.db")
    with engine.begin() as connection:  # let it be older, so that nobody has to wait for it
        mine = locks.update().where(locks.c.target == story.target())
        assert connection.execute(mine.values(expires_at=datetime(2020, 1, 1, tzinfo=UTC))).rowcount == 1
    engine.dispose()
    story.applied(number)
    story.is_sound()


@pytest.mark.parametrize("end", ["merged", "closed"])
def test_the_end_of_a_pull_request(story: Story, end: str) -> None:
    """Merging and closing release what it claimed."""
    number = story.propose()
    story.planned(number)
    story.applied(number)
    story.sees(number, "🔒")
    if end == "merged":
        story.github.merge_pull(story.repository, number, actor="ann")
    else:
        story.github.close_pull(story.repository, number, actor="ann")
    until(lambda: not locked(story), what="the end of the lock")
    until(lambda: "🔒" not in story.status(number), what="a comment without a lock")
    story.is_sound()


def test_closed_during_an_apply(story: Story, world: World) -> None:
    """The apply under way ends well and keeps its claim so long; then the claim is gone."""
    number = story.propose()
    story.planned(number)
    story.holds.hold("apply")
    comment = story.say(number, "/apply staging")
    story.holds.await_call("apply")
    story.github.close_pull(story.repository, number, actor="ann")
    story.github.webhooks.drain()
    until(lambda: pull_state(story, number) == "closed", what="the closed pull request")
    assert locked(story)
    story.holds.release("apply")
    story.reacted(number, comment, "rocket")
    until(lambda: not locked(story), what="the end of the lock")
    story.is_sound()
    assert world.bot.alive


def locked(story: Story) -> bool:
    with story.tables() as tables:
        return tables.locks.get(story.target()) is not None


def pull_state(story: Story, number: int) -> str:
    with story.tables() as tables:
        pull = tables.pulls.get(story.repository, number)
        return pull.state if pull else ""
