"""Nobody can approve their own apply, and approvals need the required role."""

from __future__ import annotations

from bot.playground.github.state import Refusal
from bot.playground.tour.production_steps import (
    SHORT_SOAK,
    apply_to_staging,
    approval_request,
    approve_by_review,
    change_policy,
    check_no_servers,
    click,
    request_production,
)
from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story
from bot.playground.tour.text import slack_text
from bot.playground.world import REPOSITORY


@chapter("self-approval", "nobody can approve their own apply, and the code owner must approve", order=90)
def self_approval(story: Story) -> None:
    with story.step("Ann's change is on staging, and she requests production"):
        change_policy(story, "shorten the soak time", SHORT_SOAK)
        page = story.propose("bigger-web")
        apply_to_staging(story, page)
        posted = request_production(story, page, "/apply prod when-approved")

    with story.step("She cannot approve it herself, neither by command nor by click nor by review"):
        story.wait_for_reactions(page, story.comment(page, "/approve prod"), "👎")
        answer = story.wait_for(
            "an answer", lambda: page.reply("needs approval from someone else"), lambda: page.replies
        )
        story.check_text(answer, "ann", "bob, code owner of infra/servers.tf")
        click(story, "ann", posted, "modal:approve", "needs approval from someone else")
        _review_own_pull(story, page)

    with story.step("Dave, who has read access, cannot either, and his Slack account is not linked"):
        click(story, "dave", posted, "modal:approve", "account isn't linked to GitHub", "/infra link")
        story.wait_for_reactions(page, story.comment(page, "/approve prod", author="dave"), "👎")
        answer = story.wait_for("an answer", lambda: page.reply("To use /approve"), lambda: page.replies)
        story.check_text(answer, "you need the write role", "you have the read role")
        approve_by_review(story, page, "dave")
        story.check("nobody has approved", true="nobody yet" in slack_text(approval_request(story, page)))

    with story.step("Carol's approval counts, but Bob as the code owner is still missing"):
        said = click(story, "carol", posted, "modal:approve", "approved by @carol")
        story.check_text(said, "Still needed", "@bob, code owner")
        story.wait_for(
            "the message names her, and who is still missing",
            lambda: all(
                word in slack_text(approval_request(story, page))
                for word in ("@carol in Slack", "Still needed", "@bob")
            ),
            lambda: slack_text(approval_request(story, page)),
        )
        story.check_text(page.row("prod")["State"], "bob")
        check_no_servers(story)

    with story.step("When Bob approves too, it is applied"):
        click(story, "bob", posted, "modal:approve")
        story.wait_for(
            "prod is applied", lambda: "✅ applied" in page.row("prod")["State"], lambda: page.status
        )
        story.check_text(page.status, "carol in Slack", "bob in Slack")


def _review_own_pull(story: Story, page: PullPage) -> None:
    """Check that GitHub refuses a review of her own pull request."""
    try:
        story.world.github.review(REPOSITORY, page.number, author="ann", state="APPROVED")
    except Refusal as refusal:
        story.check("GitHub refuses her review", true=refusal.status == 422, seen=refusal)
    else:
        story.check("GitHub refuses her review", true=False)
