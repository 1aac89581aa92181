"""A pull request is planned automatically, and again on request."""

from __future__ import annotations

from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story
from bot.playground.tour.updates import Updates
from bot.playground.world import CHANNEL

PLANNED = ("ci", "staging")


@chapter("plan", "a pull request is planned automatically and on request", order=10)
def plan(story: Story) -> None:
    with story.step("Ann opens a pull request that adds a server, and its environments are planned"):
        page = story.propose("add-server")
        for environment in PLANNED:
            row = story.wait_for_plan(page, environment)
            story.check_text(row["State"], "ready to apply")
            story.check(f"{environment} only adds", true="~0 -0" in row["Plan"], seen=row)

    with story.step("One status comment shows everything, starting with the table of environments"):
        story.check(
            "one status comment", true=(len(page.tables), len(page.replies)) == (1, 0), seen=page.tables
        )
        lead = page.status.splitlines()[:3]
        story.check(
            "the table comes first", true=any(line.startswith("| Environment") for line in lead), seen=lead
        )
        story.check(
            "prod is in it, without a plan", true=page.row("prod")["State"] == "no plan yet", seen=page.status
        )

    with story.step("The latest commit has a check for each environment, with the readable plan"):
        for environment in PLANNED:
            _succeeds(story, page, environment)
        text = page.check("staging").text
        story.check_text(text, '+ module.server["api"].playground_server.this', 'name = "staging-api"')
        story.check_text(text, "kubeconfig = (sensitive value)")

    with story.step("Ann requests a new plan: 👀 at once, 👍 when it is done"):
        story.wait_for(  # a plan that waits for its apply would be answered in words
            "test is applied", lambda: "✅ applied" in page.row("test")["State"], lambda: page.status
        )
        before = {environment: page.check(environment).url for environment in PLANNED}
        story.wait_for_reactions(page, story.comment(page, "/plan"), "👀", "👍")
        for environment in PLANNED:
            _replanned(story, page, environment, before[environment])
        story.check(
            "still one comment", true=(len(page.tables), len(page.replies)) == (1, 0), seen=page.replies
        )

    with story.step("Slack has one card with the same summary, and nothing was created"):
        cards = [
            message for message in story.world.slack.messages(CHANNEL) if Updates.kind(message) == "card"
        ]
        story.check("one card", true=len(cards) == 1, seen=[card.text for card in cards])
        story.wait_for(
            "the card has the summary of the status comment",
            lambda: (
                page.status.splitlines()[0].replace("**", "") in story.world.slack.messages(CHANNEL)[0].text
            ),
            lambda: story.world.slack.messages(CHANNEL)[0].text,
        )
        story.check(
            "no server",
            true=not any(story.resources(env) for env in PLANNED),
            seen=story.resources("staging"),
        )


def _succeeds(story: Story, page: PullPage, environment: str) -> None:
    story.wait_for(
        f"towpath/{environment} succeeded",
        lambda: page.check(environment).conclusion == "success",
        lambda: page.check(environment),
    )


def _replanned(story: Story, page: PullPage, environment: str, before: str) -> None:
    story.wait_for(
        f"{environment} has a new plan",
        lambda: page.replanned(environment, before),
        lambda: page.status,
    )
