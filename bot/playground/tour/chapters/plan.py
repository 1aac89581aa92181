"""A pull request is planned by itself, and again when somebody asks."""

from __future__ import annotations

from bot.playground.tour.news import News
from bot.playground.tour.pull import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story
from bot.playground.world import CHANNEL

PLANNED = ("ci", "test", "staging")


@chapter("plan", "a pull request is planned, and planned again", place=10)
def plan(story: Story) -> None:
    with story.step("Ann opens a pull request that adds a server; its environments are planned"):
        page = story.propose("add-server")
        for environment in PLANNED:
            row = story.stands(page, environment)
            story.reads(row["State"], "ready to apply")
            story.check(f"{environment} only adds", true=row["Plan"].endswith("~0 -0"), seen=row)

    with story.step("One status comment tells it all, led by the table of environments"):
        story.check(
            "one status comment", true=(len(page.tables), len(page.replies)) == (1, 0), seen=page.tables
        )
        lead = page.status.splitlines()[:3]
        story.check(
            "the table comes first", true=any(line.startswith("| Environment") for line in lead), seen=lead
        )
        story.check(
            "prod is in it, not planned", true=page.row("prod")["State"] == "not planned", seen=page.status
        )

    with story.step("A check for each environment stands on the head, with the readable plan"):
        for environment in PLANNED:
            _succeeds(story, page, environment)
        text = page.check("staging")["text"]
        story.reads(text, '+ module.server["api"].playground_server.this', 'name = "staging-api"')
        story.reads(text, "kubeconfig = (sensitive value)")

    with story.step("Ann wants it planned again: 👀 as soon as it is heard, 👍 when it is done"):
        before = {environment: page.check(environment)["url"] for environment in PLANNED}
        story.reacts(page, story.say(page, "/plan"), "👀", "👍")
        for environment in PLANNED:
            _another(story, page, environment, before[environment])
        story.check(
            "still one comment", true=(len(page.tables), len(page.replies)) == (1, 0), seen=page.replies
        )

    with story.step("Slack has one card that says the same, and nothing was built anywhere"):
        cards = [message for message in story.world.slack.messages(CHANNEL) if News.kind(message) == "card"]
        story.check("one card", true=len(cards) == 1, seen=[card.text for card in cards])
        story.sees(
            "the card's words are the comment's",
            lambda: (
                page.status.splitlines()[0].replace("**", "") in story.world.slack.messages(CHANNEL)[0].text
            ),
            lambda: story.world.slack.messages(CHANNEL)[0].text,
        )
        story.check(
            "no server", true=not any(story.things(env) for env in PLANNED), seen=story.things("staging")
        )


def _succeeds(story: Story, page: PullPage, environment: str) -> None:
    story.sees(
        f"towpath/{environment} succeeded",
        lambda: page.check(environment).get("conclusion") == "success",
        lambda: page.check(environment),
    )


def _another(story: Story, page: PullPage, environment: str, before: str) -> None:
    story.sees(
        f"{environment} has another plan",
        lambda: page.replanned(environment, before),
        lambda: page.status,
    )
