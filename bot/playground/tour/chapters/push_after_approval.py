"""An approval is for one plan, so a push voids it on every surface."""

from __future__ import annotations

from bot.playground.tour.production_steps import (
    apply_to_staging,
    approve_by_review,
    change_policy,
    check_no_servers,
    click,
    direct_request,
    plan_production,
    request_production,
    wait_for_decision,
)
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story

LONG = ('soak = "3s"', 'soak = "1h"')
"""A soak time of an hour, so that an approved plan is not applied yet."""


@chapter("push-after-approval", "a push after an approval voids it on every surface", order=100)
def push_after_approval(story: Story) -> None:
    with story.step("Ann's change is on staging; she requests production, which has a soak time of an hour"):
        change_policy(story, "soak for an hour", LONG)
        page = story.propose("bigger-web")
        apply_to_staging(story, page)
        posted = request_production(story, page, "/apply prod when-approved")
        old = direct_request(story, "bob")

    with story.step("Bob approves, and now only the soak time is missing"):
        click(story, "bob", old, "modal:approve", "nothing else is needed")
        story.wait_for(
            "it is soaking",
            lambda: "soaking on staging until" in page.row("prod")["State"],
            lambda: page.status,
        )
        check_no_servers(story)
        approved = page.head

    with story.step("Ann pushes another commit, and the approval is void on every surface"):
        story.push(page, "add-server")
        story.check("a new latest commit", true=page.head != approved)
        wait_for_decision(story, page, "is no longer valid", f"{page.head[:7]}` was pushed since")
        story.wait_for(
            "the status comment says so too",
            lambda: "was pushed since" in page.status,
            lambda: page.status,
        )

    with story.step("Her /apply prod is refused, with the reason and the next command"):
        story.wait_for_reactions(page, story.comment(page, "/apply prod"), "👎")
        answer = story.wait_for(
            "an answer", lambda: page.reply("only the latest release"), lambda: page.replies
        )
        story.check_text(answer, approved[:7], page.head[:7], "/apply staging")
        check_no_servers(story)

    with story.step("A click on an outdated message is refused, visible only to the person who clicked"):
        click(story, "bob", posted, "modal:approve", "is no longer valid", "/infra apply prod", old=True)
        approve_by_review(story, page, "bob", commit=approved)
        check_no_servers(story)

    with story.step("The new commit starts over: staging, then a new approval request without decisions"):
        apply_to_staging(story, page)
        plan_production(story, page)
        again = request_production(story, page, "/apply prod when-approved")
        story.check("a new approval request", true=again.ts != posted.ts)
        story.check_text(page.row("prod")["State"], "soaking on staging until")
        check_no_servers(story)
