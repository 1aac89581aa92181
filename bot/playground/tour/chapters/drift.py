"""Somebody changes the cloud behind Terraform's back: it is found, told, and mended by a plan that people read."""

from __future__ import annotations

from bot.playground.tour.news import News
from bot.playground.tour.production import applied
from bot.playground.tour.pull import PullPage
from bot.playground.tour.reading import plain, slack_text
from bot.playground.tour.registry import chapter
from bot.playground.tour.reverts import released
from bot.playground.tour.story import Story
from bot.playground.world import CHANNEL

WEB = 'module.server["web"].playground_server.this'
RECORD = "playground_dns_record.www"


@chapter("drift", "somebody changes the cloud by hand: it is found, told, and mended", place=160)
def drift(story: Story) -> None:
    with story.step("Ann's servers are on staging; it is as it was applied"):
        page = story.propose("more-nodes")
        commit = released(story, page)
        story.reads(_asks(story, page, "staging: no drift"), "as the last apply left it", commit[:7])

    with story.step("In the cloud's own console somebody resizes the server, and deletes the DNS record"):
        cloud = story.world.clouds["staging"]
        ((key, server),) = cloud.things("server").items()
        cloud.put("server", key, server | {"size": "xl"})
        ((record, _),) = cloud.things("dns_record").items()
        cloud.drop("dns_record", record)
        story.narrator.said(
            "somebody", "the cloud's console", "resizes staging-web, and deletes the DNS record"
        )

    with story.step("/drift tells it: what was changed outside, and what an apply would change back"):
        told = _asks(story, page, "staging: drift, 2 changed outside, 2 pending")
        story.reads(told, WEB, 'size = "s" -> "xl"', 'size = "xl" -> "s"', f"- {RECORD}", f"+ {RECORD}")
        story.reads(told, "Nothing is applied by itself", "/plan staging")
        story.check("and nothing was", true=not story.things("staging", "dns_record"))

    with story.step("Everybody sees it: in the status comment, and once in Slack"):
        story.sees(
            "the row says it",
            lambda: "drift: 2 changed outside, 2 pending" in page.row("staging")["State"],
            lambda: page.status,
        )
        story.sees("Slack is told", lambda: _told(story) == 1, lambda: _told(story))
        story.reads(_asks(story, page, "Nothing new since"), "Last findings")
        story.check("once", true=_told(story) == 1, seen=_told(story))

    _mended(story, page)


def _mended(story: Story, page: PullPage) -> None:
    with story.step("Ann plans what was applied, reads it, and applies it: staging is mended"):
        story.reacts(page, story.say(page, "/plan staging"), "👍")
        row = story.stands(page, "staging")
        story.reads(row["Plan"], "+1 ~1 -0")
        story.reacts(page, story.say(page, "/apply staging"), "🚀")
        applied(story, page, "staging")
        sizes = [one["size"] for one in story.world.clouds["staging"].things("server").values()]
        story.check("the size is the old one", true=sizes == ["s"], seen=sizes)
        story.check("the record is back", true=len(story.things("staging", "dns_record")) == 1)

    with story.step("/drift says that it is clean, and so does the status comment"):
        _asks(story, page, "staging: no drift")
        story.sees(
            "no drift in the row", lambda: "drift" not in page.row("staging")["State"], lambda: page.status
        )


def _asks(story: Story, page: PullPage, text: str) -> str:
    """`/drift staging`, and the new answer that has `text` in it."""
    before = len(page.replies)
    story.reacts(page, story.say(page, "/drift staging"), "👍")
    return story.sees(
        f"the answer: {text}",
        lambda: page.reply(text, after=before),
        lambda: [plain(one) for one in page.replies[before:]],
    )


def _told(story: Story) -> int:
    """How often Slack's channel was told of drift."""
    messages = [one for one in story.world.slack.messages(CHANNEL) if News.kind(one) != "card"]
    return sum("staging: drift" in slack_text(one) for one in messages)
