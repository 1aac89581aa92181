"""What counts as a command in a comment, and what never does."""

from __future__ import annotations

import httpx
import pytest

from bot.playground.world import World
from tests.story.story import Story


@pytest.fixture
def number(story: Story) -> int:
    """ann's pull request, planned."""
    number = story.propose()
    story.planned(number)
    return number


def heard(story: Story, number: int) -> None:
    """Until everything said so far was understood: a command that comes last is answered last."""
    before = len(story.answers(number))
    story.say(number, "/help")
    story.is_told(number, "/plan")
    assert len(story.answers(number)) == before + 1


def test_code_and_quotes(story: Story, number: int) -> None:
    """Commands that are shown, quoted or hidden are none; the one among 60,000 characters is."""
    story.say(number, "Try this:\n```\n/apply staging\n```\n")
    story.say(number, "> /apply staging\n\nI would not.")
    story.say(number, "`/apply staging` and\n    /apply staging\n\n- /apply staging\n<!-- /apply staging -->")
    story.say(number, "see /apply staging")
    story.say(number, "/lgtm\n/retest\n/hold")
    heard(story, number)
    assert story.runs("apply") == []
    wordy = (
        "word " * 5_990 + "\n\n/lock staging load test\n\n" + "```\n/unlock staging\n```\n" + "word " * 5_990
    )
    comment = story.say(number, wordy)
    story.reacted(number, comment, "+1")
    story.sees(number, "load test")


def test_several_commands(story: Story, number: int) -> None:
    """They run in order, each is answered, and a plan that nobody has read is never applied."""
    comment = story.say(number, "/lock staging one moment\n\n/unlock staging\n\n/status")
    story.reacted(number, comment, "+1")
    story.is_told(number, "was unlocked by")
    assert "one moment" not in story.status(number)
    comment = story.say(number, "/plan staging\n/apply staging")
    story.is_told(number, "nobody could have read the plan")
    story.reacted(number, comment, "-1")
    story.is_sound()
    assert story.runs("apply") == []


def test_a_typing_error(story: Story, number: int) -> None:
    """A near miss gets a hint; eleven commands are too many."""
    comment = story.say(number, "/aply staging")
    story.is_told(number, "Did you mean `/apply`")
    story.reacted(number, comment, "-1")
    story.say(number, "/apply stagin")
    story.is_told(number, "Did you mean `staging`")
    story.say(number, "/plan\n" * 11)
    story.is_told(number, "None was run")
    assert len(story.runs()) == 1


def test_edits_and_bots(story: Story, world: World, number: int) -> None:
    """An edited comment is not read again, and what bots write is no command, the bot's own least of all."""
    comment = story.say(number, "Nothing yet")
    story.github.edit_comment(comment, actor="ann", body="/apply staging")
    other = story.github.install_app("acme", slug="robot")
    story.github.comment(story.repository, number, author="robot[bot]", body="/apply staging")
    assert other.bot.type == "Bot"
    heard(story, number)
    assert story.runs("apply") == []
    assert httpx.get(f"{world.bot.url}/readyz").status_code == 200


def test_strangers(story: Story, number: int) -> None:
    """dave may read: he can ask, and change nothing."""
    comment = story.say(number, "/apply staging", "dave")
    told = story.is_told(number, "`write`")
    assert "`read`" in told
    story.reacted(number, comment, "-1")
    story.say(number, "/status", "dave")
    assert story.runs("apply") == []
