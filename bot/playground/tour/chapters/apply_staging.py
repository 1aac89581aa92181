"""Applying a reviewed plan to staging, as seen on GitHub and in Slack."""

from __future__ import annotations

import re

from bot.playground.slack.model import Message
from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story
from bot.playground.tour.text import slack_text
from bot.playground.tour.updates import Updates
from bot.playground.world import CHANNEL


@chapter("apply-staging", "the reviewed plan is applied, and everyone can see the result", order=20)
def apply_staging(story: Story) -> None:
    with story.step("Ann opens a pull request, and it is planned"):
        page = story.propose("add-server")
        story.wait_for_plan(page, "staging")
        planned = _added(page.check("staging").text)

    with story.step("Ann applies it to staging: 👀, then 🚀"):
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "👀", "🚀")
        story.wait_for(
            "staging is applied, and locked by this pull request",
            lambda: all(word in page.row("staging")["State"] for word in ("applied", "this pull request")),
            lambda: page.status,
        )
        story.check("no next command for staging", true=page.row("staging")["Next"] == "", seen=page.status)

    with story.step("staging has exactly the planned resources, and no other cloud has any"):
        servers = story.resources("staging")
        story.check("web and api", true=set(servers) == {"staging-web", "staging-api"}, seen=servers)
        built = sum(len(story.resources("staging", kind)) for kind in ("server", "dns_record", "cluster"))
        story.check(f"{len(planned)} resources, as planned", true=built == len(planned), seen=planned)
        others = {name: story.resources(name) for name in ("ci", "prod")}
        story.check("no servers elsewhere", true=not any(others.values()), seen=others)

    with story.step("GitHub shows one successful deployment of that commit"):
        story.wait_for(
            "in_progress, then success",
            lambda: _deployments(page) == [(page.head, ["in_progress", "success"])],
            lambda: _deployments(page),
        )

    with story.step("The thread of Slack's card reports it"):
        story.wait_for(
            "staging applied, by ann",
            lambda: any(_has_all(slack_text(one), "staging", " applied", "@ann") for one in _thread(story)),
            lambda: [slack_text(one) for one in _thread(story)],
        )

    with story.step("Anyone may see staging's history"):
        story.wait_for_reactions(page, story.comment(page, "/history staging"), "👍")
        history = story.wait_for("an answer", lambda: page.reply("State versions of staging"))
        story.check_text(history, "Serial", page.head[:7], "ann", "4 resources")

    with story.step("A second /apply is refused with the next command to run"):
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "👎")
        story.check_text(story.wait_for("an answer", lambda: page.reply("already applied")), "/plan staging")
        story.check(
            "the cloud is unchanged",
            true=story.resources("staging") == servers,
            seen=story.resources("staging"),
        )

    with story.step("/infra status in Slack shows the same"):
        answer = story.slash("ann", f"status #{page.number}")
        staging = next((line for line in answer.splitlines() if line.startswith("*staging*")), answer)
        story.check_text(staging, page.row("staging")["Plan"], page.row("staging")["State"])

    _link_dave(story, page)


def _link_dave(story: Story, page: PullPage) -> None:
    """Dave uses Slack before and after linking his account."""
    with story.step("Dave, whose Slack account is not linked, has read-only access"):
        story.check_text(story.slash("dave", f"status #{page.number}"), "staging", "applied")
        story.check_text(
            story.slash("dave", f"plan staging #{page.number}"),
            "account isn't linked to GitHub",
            "/infra link",
        )

    with story.step("Dave links his account with a code that only he sees, confirmed on GitHub"):
        answer = story.slash("dave", "link")
        found = re.search(r"/link ([A-Z0-9]{8})\b", answer)
        code = found[1] if found else ""
        story.check("a code", true=bool(code), seen=answer)
        others = [*story.world.slack.messages(CHANNEL), *story.world.slack.ephemerals("ann")]
        story.check("nobody else sees it", true=not any(code in slack_text(one) for one in others))
        story.comment(page, f"/link {code}", author="dave")
        story.wait_for(
            "the Slack account is named", lambda: page.reply(f"/link {code} yes"), lambda: page.replies
        )
        story.comment(page, f"/link {code} yes", author="dave")
        story.wait_for("dave is linked", lambda: page.reply("@dave is now linked"), lambda: page.replies)
        story.check_text(story.slash("dave", "link"), "Your Slack account is linked to @dave")

    with story.step("Now his GitHub role counts: with read access he may not plan"):
        story.check_text(story.slash("dave", f"plan staging #{page.number}"), "`write` role", "`read` role")


def _added(diff: str) -> list[str]:
    """Return the addresses that a readable plan adds. Attributes are indented further, outputs are in their own block."""
    return re.findall(r"^\+ (\S+)$", diff, re.MULTILINE)


def _deployments(page: PullPage) -> list[tuple[str, list[str]]]:
    return [
        (one["commit"], [state["state"] for state in one["states"]]) for one in page.deployments("staging")
    ]


def _has_all(text: str, *words: str) -> bool:
    return all(word in text for word in words)


def _thread(story: Story) -> list[Message]:
    cards = [message for message in story.world.slack.messages(CHANNEL) if Updates.kind(message) == "card"]
    return [reply for card in cards for reply in story.world.slack.thread(CHANNEL, card.ts)[1:]]
