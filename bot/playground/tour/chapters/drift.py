"""Manual changes in the cloud are detected, reported, and fixed with a reviewed plan."""

from __future__ import annotations

from bot.playground.tour.production_steps import wait_until_applied
from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.revert_steps import release_to_staging
from bot.playground.tour.story import Story
from bot.playground.tour.text import plain, slack_text
from bot.playground.tour.updates import Updates
from bot.playground.world import CHANNEL

WEB = 'module.server["web"].playground_server.this'
RECORD = "playground_dns_record.www"


@chapter("drift", "manual changes in the cloud are detected, reported and fixed", order=160)
def drift(story: Story) -> None:
    with story.step("Ann's change is on staging, and there is no drift"):
        page = story.propose("more-nodes")
        commit = release_to_staging(story, page)
        story.check_text(
            _check_drift(story, page, "staging: no drift"), "staging matches the last apply", commit[:7]
        )

    with story.step("Somebody resizes the server and deletes the DNS record in the cloud's console"):
        cloud = story.world.clouds["staging"]
        ((key, server),) = cloud.things("server").items()
        cloud.put("server", key, server | {"size": "xl"})
        ((record, _),) = cloud.things("dns_record").items()
        cloud.drop("dns_record", record)
        story.narrator.action(
            "somebody", "the cloud's console", "resizes staging-web and deletes the DNS record"
        )

    with story.step("/drift shows what was changed outside, and what an apply would change back"):
        answer = _check_drift(
            story, page, "staging has drifted: 2 resources changed outside Terraform, 2 changes pending"
        )
        story.check_text(
            answer, WEB, 'size = "s" -> "xl"', 'size = "xl" -> "s"', f"- {RECORD}", f"+ {RECORD}"
        )
        story.check_text(answer, "Nothing is applied automatically", "/plan staging")
        story.check("nothing was applied", true=not story.resources("staging", "dns_record"))

    with story.step("Everyone sees it in the status comment, and once in Slack"):
        story.wait_for(
            "the row shows it",
            lambda: (
                "drift: 2 resources changed outside Terraform, 2 changes pending"
                in page.row("staging")["State"]
            ),
            lambda: page.status,
        )
        story.wait_for("Slack is notified", lambda: _notifications(story) == 1, lambda: _notifications(story))
        story.check_text(_check_drift(story, page, "Unchanged since"), "Latest reports")
        story.check(
            "Slack is notified only once", true=_notifications(story) == 1, seen=_notifications(story)
        )

    _fixed(story, page)


def _fixed(story: Story, page: PullPage) -> None:
    with story.step("Ann plans and applies the same commit again, which fixes staging"):
        story.wait_for_reactions(page, story.comment(page, "/plan staging"), "👍")
        row = story.wait_for_plan(page, "staging")
        story.check_text(row["Plan"], "+1 ~1 -0")
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "🚀")
        wait_until_applied(story, page, "staging")
        sizes = [one["size"] for one in story.world.clouds["staging"].things("server").values()]
        story.check("the size is restored", true=sizes == ["s"], seen=sizes)
        story.check("the record exists again", true=len(story.resources("staging", "dns_record")) == 1)

    with story.step("/drift reports no drift, and neither does the status comment"):
        _check_drift(story, page, "staging: no drift")
        story.wait_for(
            "no drift in the row", lambda: "drift" not in page.row("staging")["State"], lambda: page.status
        )


def _check_drift(story: Story, page: PullPage, text: str) -> str:
    """Comment `/drift staging` and return the new answer that contains `text`."""
    before = len(page.replies)
    story.wait_for_reactions(page, story.comment(page, "/drift staging"), "👍")
    return story.wait_for(
        f"the answer: {text}",
        lambda: page.reply(text, after=before),
        lambda: [plain(one) for one in page.replies[before:]],
    )


def _notifications(story: Story) -> int:
    """Return how many messages in Slack's channel report drift."""
    messages = [one for one in story.world.slack.messages(CHANNEL) if Updates.kind(one) != "card"]
    return sum("staging has drifted" in slack_text(one) for one in messages)
