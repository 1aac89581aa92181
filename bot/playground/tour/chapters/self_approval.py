"""Nobody approves their own, and not everybody's word counts."""

from __future__ import annotations

from bot.playground.tour.production import (
    SOAK,
    ask,
    click,
    question,
    reviews,
    rule,
    staged,
    untouched,
)
from bot.playground.tour.pull import PullPage
from bot.playground.tour.reading import slack_text
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story
from bot.playground.world import REPOSITORY


@chapter(
    "self-approval", "nobody approves their own, by whatever way; the code owner is still needed", place=90
)
def self_approval(story: Story) -> None:
    with story.step("Ann's change is on staging; she asks for production"):
        rule(story, "a shorter soak", SOAK)
        page = story.propose("bigger-web")
        staged(story, page)
        posted = ask(story, page, "/apply prod when-approved")

    with story.step("She cannot approve it herself: not by command, not by click, not by review"):
        story.reacts(page, story.say(page, "/approve prod"), "👎")
        answer = story.sees("an answer", lambda: page.reply("somebody else's consent"), lambda: page.replies)
        story.reads(answer, "ann", "bob (code owner of infra/servers.tf)")
        click(story, "ann", posted, "modal:approve", "somebody else's consent")
        _own_review(story, page)

    with story.step("Dave, who only reads there, cannot either; and for Slack he is nobody yet"):
        click(story, "dave", posted, "modal:approve", "do not know your GitHub login", "/infra link")
        story.reacts(page, story.say(page, "/approve prod", author="dave"), "👎")
        answer = story.sees("an answer", lambda: page.reply("To use /approve"), lambda: page.replies)
        story.reads(answer, "you need the write role", "you have the read role")
        reviews(story, page, "dave")
        story.check("nobody has approved", true="nobody yet" in slack_text(question(story, page)))

    with story.step("Carol's approval counts; but the paths are Bob's, so he is still missing"):
        said = click(story, "carol", posted, "modal:approve", "approved by @carol")
        story.reads(said, "Still needed", "@bob (code owner")
        story.sees(
            "the message names her, and whom it waits for",
            lambda: all(
                word in slack_text(question(story, page)) for word in ("@carol in Slack", "Missing", "@bob")
            ),
            lambda: slack_text(question(story, page)),
        )
        story.reads(page.row("prod")["State"], "bob")
        untouched(story)

    with story.step("When Bob has approved, too, it is applied"):
        click(story, "bob", posted, "modal:approve")
        story.sees("prod is applied", lambda: "✅ applied" in page.row("prod")["State"], lambda: page.status)
        story.reads(page.status, "carol in Slack", "bob in Slack")


def _own_review(story: Story, page: PullPage) -> None:
    """GitHub lets nobody approve their own pull request; a review by way of its API would not count either."""
    from bot.playground.github.state import Refusal

    try:
        story.world.github.review(REPOSITORY, page.number, author="ann", state="APPROVED")
    except Refusal as refusal:
        story.check("GitHub refuses her review", true=refusal.status == 422, seen=refusal)
    else:
        story.check("GitHub refuses her review", true=False)
