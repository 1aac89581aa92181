"""Slack's own ways: a card's thread, its buttons, and who presses them."""

from __future__ import annotations

import json

from bot.playground.slack.model import Message
from bot.playground.world import until
from tests.story.story import Story

CHANNEL = "#infra"


def card(story: Story, number: int) -> Message:
    """The pull request's card, once it can be applied from there."""

    def look() -> Message | None:
        found = [message for message in story.world.slack.messages(CHANNEL) if f"#{number} " in message.text]
        return found[0] if found and found[0].button("towpath:apply:staging") else None

    found = until(look, what="the card with its button")
    assert found is not None
    return found


def whispered(story: Story, user: str, text: str) -> str:
    """What only this user sees, once `text` stands in it."""
    return until(
        lambda: next(
            (one.text for one in story.world.slack.ephemerals(user) if text in str(one.blocks) + one.text), ""
        ),
        what=f"{text!r} for {user}: {[one.text for one in story.world.slack.ephemerals(user)]}",
    )


def test_a_thread_speaks_of_its_pull_request(story: Story) -> None:
    number = story.propose("large")
    posted = card(story, number)
    story.world.slack.mention("bob", CHANNEL, "plan staging", posted.ts)
    until(lambda: len(story.runs("plan")) == 2, what="bob's plan, asked without a number")
    assert story.runs("plan")[1].actor.login == "bob"
    story.world.slack.mention("dave", CHANNEL, "apply staging", posted.ts)
    whispered(story, "dave", "Your Slack account isn't linked to GitHub")
    assert story.runs("apply") == []


def test_a_button_is_a_command_of_whoever_presses_it(story: Story) -> None:
    number = story.propose("large")
    posted = card(story, number)
    slack = story.world.slack
    slack.click("dave", CHANNEL, posted.ts, "towpath:apply:staging")
    whispered(story, "dave", "Your Slack account isn't linked to GitHub")
    for value in (
        "",
        "{",
        '{"c": "apply staging"}',
        json.dumps({"c": "apply staging", "r": "acme/other", "p": number}),
    ):
        assert slack.forge_click("ann", CHANNEL, posted.ts, "towpath:apply:staging", value).status == 200
    whispered(story, "ann", "no access to this repository")
    assert story.runs("apply") == []
    slack.click("ann", CHANNEL, posted.ts, "towpath:apply:staging")
    until(lambda: [run.outcome for run in story.runs("apply")] == ["applied"], what="ann's apply")
    assert story.runs("apply")[0].actor.login == "ann"
    until(
        lambda: any("applied" in one.text for one in slack.thread(CHANNEL, posted.ts)),
        what="its end in the thread",
    )
    story.is_sound()
    assert len(story.runs("apply")) == 1


def test_a_channel_speaks_of_the_repository_that_was_named_last(story: Story) -> None:
    other = f"{story.repository}-other"
    story.github.create_repo(other, {"README.md": "hello"}, private=True, roles={"ann": "write"})
    number = story.propose("large")
    story.planned(number)
    slack = story.world.slack
    slack.slash("ann", "#general", f"status {other}")
    whispered(story, "ann", "policy")
    slack.slash("ann", "#general", f"status {story.repository}#{number}")
    whispered(story, "ann", "ready to apply")
    slack.slash("ann", "#general", f"plan staging #{number}")
    until(lambda: len(story.runs("plan")) == 2, what="a plan in the repository that was named last")
    slack.slash("dave", "#general", f"status {other}")
    whispered(story, "dave", "this channel's repository")
    slack.slash("dave", "#general", "status")
    whispered(story, "dave", "staging")
