"""GitHub or Slack away, slow, or losing answers: nothing is lost or shown twice, and the work goes on by itself."""

from __future__ import annotations

import pytest

from bot.playground.world import World, until
from tests.story.story import Story


@pytest.mark.own_world
@pytest.mark.parametrize("what", [429, 502])
def test_github_refuses_for_a_while(story: Story, what: int) -> None:
    """Every request fails some times; then ann's plan and apply arrive all the same."""
    story.github.faults.add("*", "/repos/|/app", what, times=3, retry_after=1 if what == 429 else None)
    number = story.propose()
    story.planned(number)
    comment = story.say(number, "/apply staging")
    story.reacted(number, comment, "rocket")
    story.is_sound()
    assert len(story.comments(number)) == 1
    assert [run.outcome for run in story.runs()] == ["planned", "applied"]


def test_a_lost_answer(story: Story) -> None:
    """GitHub made the comment, and the answer never came: it is found again, not made twice."""
    story.github.faults.add("POST", "/comments$", "drop_response")
    story.github.faults.add("POST", "/check-runs$", "drop_response")
    number = story.propose()
    story.planned(number)
    until(lambda: story.entries(number, "check"), what="the check")
    story.github.faults.add("POST", "/comments$", "drop_response")
    story.say(number, "/help")
    story.is_told(number, "/plan")
    story.sees(number, "/apply staging")
    story.is_sound()
    assert len(story.comments(number)) == 2
    assert len(story.entries(number, "check")) == 1


def test_github_does_not_answer(story: Story) -> None:
    """One request hangs until its time is up."""
    story.github.faults.add("GET", "/pulls/", "timeout")
    number = story.propose()
    story.planned(number)
    assert len(story.comments(number)) == 1


def test_slack_is_away(story: Story, world: World) -> None:
    """GitHub goes on while Slack is away; afterwards Slack shows one card, and how it stands now."""
    world.slack.faults.inject(".*", 500, times=8)
    number = story.propose(title="While Slack sleeps")
    story.planned(number)
    story.applied(number)
    world.slack.faults.clear()

    def cards() -> list[str]:
        return [one.text for one in world.slack.messages("#infra") if "While Slack sleeps" in one.text]

    until(lambda: any("applied" in text for text in cards()), what="the card")
    assert len(cards()) == 1


def test_slack_loses_an_answer(story: Story, world: World) -> None:
    """The card was posted, and the answer lost: there is one card."""
    world.slack.faults.inject("chat.postMessage", "drop_response")
    number = story.propose(title="Only once")
    story.planned(number)
    until(
        lambda: any("ready" in one.text for one in world.slack.messages("#infra")),
        what="the card as it stands now",
    )
    assert len([one for one in world.slack.messages("#infra") if "Only once" in one.text]) == 1
