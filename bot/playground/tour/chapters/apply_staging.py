"""From a plan that people have read to staging as it says, seen on GitHub and in Slack."""

from __future__ import annotations

import re

from bot.playground.slack.model import Message
from bot.playground.tour.news import News
from bot.playground.tour.pull import PullPage
from bot.playground.tour.reading import slack_text
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story
from bot.playground.world import CHANNEL


@chapter("apply-staging", "exactly the plan that was read is applied, and everybody can look", place=20)
def apply_staging(story: Story) -> None:
    with story.step("Ann's pull request is planned"):
        page = story.propose("add-server")
        story.stands(page, "staging")
        planned = _added(page.check("staging")["text"])

    with story.step("Ann applies it to staging: 👀, then 🚀"):
        story.reacts(page, story.say(page, "/apply staging"), "👀", "🚀")
        story.sees(
            "staging is applied, and claimed by this pull request",
            lambda: all(word in page.row("staging")["State"] for word in ("applied", "this pull request")),
            lambda: page.status,
        )
        story.check(
            "no command is left for staging", true=page.row("staging")["Next"] == "", seen=page.status
        )

    with story.step("The cloud has what the plan said, and no other cloud has anything"):
        servers = story.things("staging")
        story.check("web and api", true=set(servers) == {"staging-web", "staging-api"}, seen=servers)
        built = sum(len(story.things("staging", kind)) for kind in ("server", "dns_record", "cluster"))
        story.check(f"{len(planned)} things, as planned", true=built == len(planned), seen=planned)
        others = {name: story.things(name) for name in ("ci", "test", "prod")}
        story.check("nothing elsewhere", true=not any(others.values()), seen=others)

    with story.step("GitHub shows one deployment of that commit, with success"):
        story.sees(
            "in_progress, then success",
            lambda: _went(page) == [(page.head, ["in_progress", "success"])],
            lambda: _went(page),
        )

    with story.step("The thread of Slack's card tells of it"):
        story.sees(
            "staging applied, by ann",
            lambda: any(_all(slack_text(one), "staging", " applied", "@ann") for one in _thread(story)),
            lambda: [slack_text(one) for one in _thread(story)],
        )

    with story.step("Anybody may ask for staging's history"):
        story.reacts(page, story.say(page, "/history staging"), "👍")
        history = story.sees("an answer", lambda: page.reply("State versions of staging"))
        story.reads(history, "Serial", page.head[:7], "ann", "4 resources")

    with story.step("A second /apply is refused, with the next command"):
        story.reacts(page, story.say(page, "/apply staging"), "👎")
        story.reads(story.sees("an answer", lambda: page.reply("already applied")), "/plan staging")
        story.check(
            "the cloud is as it was", true=story.things("staging") == servers, seen=story.things("staging")
        )

    with story.step("In Slack, /infra status says the same"):
        answer = story.slash("ann", f"status #{page.number}")
        staging = next((line for line in answer.splitlines() if line.startswith("*staging*")), answer)
        story.reads(staging, page.row("staging")["Plan"], page.row("staging")["State"])

    _dave(story, page)


def _dave(story: Story, page: PullPage) -> None:
    """A colleague in Slack whom the bot does not know."""
    with story.step("Dave, whom the bot does not know, may look and nothing else"):
        story.reads(story.slash("dave", f"status #{page.number}"), "staging", "applied")
        story.reads(
            story.slash("dave", f"plan staging #{page.number}"),
            "do not know your GitHub login",
            "/infra link",
        )

    with story.step("Dave links himself: a code that only he sees, confirmed on GitHub"):
        answer = story.slash("dave", "link")
        found = re.search(r"/link ([A-Z0-9]{8})\b", answer)
        code = found[1] if found else ""
        story.check("a code", true=bool(code), seen=answer)
        others = [*story.world.slack.messages(CHANNEL), *story.world.slack.ephemerals("ann")]
        story.check("nobody else sees it", true=not any(code in slack_text(one) for one in others))
        story.say(page, f"/link {code}", author="dave")
        story.sees("dave is linked", lambda: page.reply("@dave is linked"), lambda: page.replies)
        story.reads(story.slash("dave", "link"), "You are linked to @dave")

    with story.step("Now GitHub decides what Dave may do: he reads there, so he plans nothing here"):
        story.reads(story.slash("dave", f"plan staging #{page.number}"), "`write` role", "`read` role")


def _added(diff: str) -> list[str]:
    """Addresses that a readable plan adds; attributes stand further in, outputs in a block of their own."""
    return re.findall(r"^\+ (\S+)$", diff, re.MULTILINE)


def _went(page: PullPage) -> list[tuple[str, list[str]]]:
    return [
        (one["commit"], [state["state"] for state in one["states"]]) for one in page.deployments("staging")
    ]


def _all(text: str, *words: str) -> bool:
    return all(word in text for word in words)


def _thread(story: Story) -> list[Message]:
    cards = [message for message in story.world.slack.messages(CHANNEL) if News.kind(message) == "card"]
    return [reply for card in cards for reply in story.world.slack.thread(CHANNEL, card.ts)[1:]]
