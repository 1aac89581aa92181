"""A rejection with its reason stops an apply, until somebody asks again."""

from __future__ import annotations

from bot.playground.tour.production import (
    SOAK,
    answered,
    ask,
    click,
    direct,
    modal,
    rule,
    staged,
    submit,
    untouched,
)
from bot.playground.tour.reading import slack_text
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story

REASON = "not while the sale is on"


@chapter("reject", "a rejection says why, and stops the apply", place=80)
def reject(story: Story) -> None:
    with story.step("Ann's change is on staging; she asks for production"):
        rule(story, "a shorter soak", SOAK)
        page = story.propose("add-server")
        staged(story, page)
        ask(story, page, "/apply prod when-approved")

    with story.step("Bob rejects it in Slack, and a window asks him why"):
        mine = direct(story, "bob")
        click(story, "bob", mine, "modal:reject")
        submit(story, "bob", modal(story, "bob", "Reject prod", "Why"), {"reason": REASON})

    with story.step("Ann reads on the pull request who, and why; the buttons are gone"):
        answer = story.sees("ann is told", lambda: page.reply("rejected the apply"), lambda: page.replies)
        story.reads(answer, "bob", "prod", REASON)
        story.sees("the status comment says it", lambda: REASON in page.status, lambda: page.status)
        answered(story, page, "was rejected", "bob", REASON)

    with story.step("Nothing is applied, and an approval that comes later finds nothing to approve"):
        story.reacts(page, story.say(page, "/approve prod", author="carol"), "👎")
        untouched(story)

    with story.step("Ann asks again: a new question, with nobody's answer in it"):
        again = ask(story, page)
        story.reads(slack_text(again), "nobody yet")
        untouched(story)

    with story.step("Bob may also say it in a comment"):
        story.reacts(page, story.say(page, "/reject prod still not", author="bob"), "👍")
        story.sees("ann is told", lambda: page.reply("rejected the apply", "still not"), lambda: page.replies)
        answered(story, page, "was rejected", "still not")
        untouched(story)
