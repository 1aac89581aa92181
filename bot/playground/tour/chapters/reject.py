"""A rejection with a reason stops an apply until approval is requested again."""

from __future__ import annotations

from bot.playground.tour.production_steps import (
    SHORT_SOAK,
    apply_to_staging,
    change_policy,
    check_no_servers,
    click,
    direct_request,
    request_production,
    submit_modal,
    wait_for_decision,
    wait_for_modal,
)
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story
from bot.playground.tour.text import slack_text

REASON = "not while the sale is on"


@chapter("reject", "a rejection gives a reason and stops the apply", order=80)
def reject(story: Story) -> None:
    with story.step("Ann's change is on staging, and she requests production"):
        change_policy(story, "shorten the soak time", SHORT_SOAK)
        page = story.propose("add-server")
        apply_to_staging(story, page)
        request_production(story, page, "/apply prod when-approved")

    with story.step("Bob rejects it in Slack, and a modal asks for the reason"):
        mine = direct_request(story, "bob")
        click(story, "bob", mine, "modal:reject")
        submit_modal(story, "bob", wait_for_modal(story, "bob", "Reject prod", "Why"), {"reason": REASON})

    with story.step("Ann sees who rejected it and why on the pull request; the buttons are gone"):
        answer = story.wait_for(
            "ann is notified", lambda: page.reply("rejected the apply"), lambda: page.replies
        )
        story.check_text(answer, "bob", "prod", REASON)
        story.wait_for("the status comment says so", lambda: REASON in page.status, lambda: page.status)
        wait_for_decision(story, page, "was rejected", "bob", REASON)

    with story.step("Nothing is applied, and a later approval is refused because there is no request"):
        story.wait_for_reactions(page, story.comment(page, "/approve prod", author="carol"), "👎")
        check_no_servers(story)

    with story.step("Ann requests it again: a new approval request without decisions"):
        again = request_production(story, page)
        story.check_text(slack_text(again), "nobody yet")
        check_no_servers(story)

    with story.step("Bob can also reject it in a comment"):
        story.wait_for_reactions(page, story.comment(page, "/reject prod still not", author="bob"), "👍")
        story.wait_for(
            "ann is notified", lambda: page.reply("rejected the apply", "still not"), lambda: page.replies
        )
        wait_for_decision(story, page, "was rejected", "still not")
        check_no_servers(story)
