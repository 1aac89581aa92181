"""An approval is of one plan: a push ends it, everywhere."""

from __future__ import annotations

from bot.playground.tour.production import (
    answered,
    ask,
    click,
    direct,
    reviews,
    rule,
    staged,
    untouched,
)
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story

LONG = ('soak = "3s"', 'soak = "1h"')
"""Approved, and not applied yet: it has to stand on staging for an hour."""


@chapter("push-after-approval", "a push after the approval ends it, everywhere", place=100)
def push_after_approval(story: Story) -> None:
    with story.step("Ann's change is on staging; she asks for production, to go there in an hour"):
        rule(story, "an hour of soak", LONG)
        page = story.propose("bigger-web")
        staged(story, page)
        posted = ask(story, page, "/apply prod when-approved")
        old = direct(story, "bob")

    with story.step("Bob approves; now it waits for its soak time alone"):
        click(story, "bob", old, "modal:approve", "that is all it needed")
        story.sees("it soaks", lambda: "soaks until" in page.row("prod")["State"], lambda: page.status)
        untouched(story)
        approved = page.head

    with story.step("Ann pushes something else: the approval is dead in every place"):
        story.push(page, "add-server")
        story.check("another head", true=page.head != approved)
        answered(story, page, "no longer holds", f"{page.head[:7]}` was pushed meanwhile")
        story.sees(
            "the status comment says it, too",
            lambda: "was pushed meanwhile" in page.status,
            lambda: page.status,
        )

    with story.step("Her /apply prod is refused: why, and what comes next"):
        story.reacts(page, story.say(page, "/apply prod"), "👎")
        answer = story.sees("an answer", lambda: page.reply("only the newest release"), lambda: page.replies)
        story.reads(answer, approved[:7], page.head[:7], "/apply staging")
        untouched(story)

    with story.step(
        "A click on a message that somebody still has on the screen is refused, for their eyes alone"
    ):
        click(story, "bob", posted, "modal:approve", "no longer holds", "/infra apply prod", old=True)
        reviews(story, page, "bob", commit=approved)
        untouched(story)

    with story.step("The new commit goes the whole way anew: staging, a question with nobody's answer"):
        staged(story, page)
        story.reacts(page, story.say(page, "/plan prod"), "👍")
        again = ask(story, page, "/apply prod when-approved")
        story.check("another question", true=again.ts != posted.ts)
        story.reads(page.row("prod")["State"], "soaks until")
        untouched(story)
