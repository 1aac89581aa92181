"""A bot's first start: its database has no table yet."""

from __future__ import annotations

from tests.fixtures.world import MakeWorld
from tests.story.holds import Holds
from tests.story.story import Story


def test_on_an_empty_database(make_world: MakeWorld, holds: Holds, empty_url: str) -> None:
    """It makes what it needs, its own tables and the queue's, and goes on as ever, also after its next start."""
    world = make_world(empty=True, database_url=empty_url)
    story = Story(world, holds=holds)
    number = story.propose()
    story.planned(number)
    world.bot.stop()
    world.bot.start()
    story.applied(number)
    story.is_sound()
    assert [run.outcome for run in story.runs()] == ["planned", "applied"]
