"""Pushes during a plan: people always see the plan of the latest commit, and only that is applied."""

from __future__ import annotations

from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story

SLOW = 2.0
"""Seconds by which reading staging's cloud is slowed down once, so that the push comes during the plan."""
READ = "read:playground_server.staging-web"


@chapter(
    "push-during-plan", "a push during a plan replaces it, and outdated plans are never applied", order=40
)
def push_during_plan(story: Story) -> None:
    with story.step("Ann's pull request is applied to staging, so that the next plans read the cloud"):
        page = story.propose("more-nodes")
        story.wait_for_plan(page, "staging")
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "🚀")
        servers = story.resources("staging")

    with story.step("Ann pushes, and pushes again while the first push is being planned"):
        story.slow_down("staging", READ, SLOW)
        first = story.push(page, "add-server")
        story.wait_for(
            f"Terraform plans {first[:7]}",
            lambda: story.slow_operation_started("staging", READ),
            lambda: page.status,
        )
        second = story.push(page, "drop-dns")
        row = story.wait_for_plan(page, "staging")
        story.check("the plan is for the latest commit", true=row["Planned"].startswith(second[:7]), seen=row)
        story.check("it includes the changes of both pushes", true="+1 ~0 -1" in row["Plan"], seen=row)

    with story.step("The older plan was replaced, not failed or refused; there is still one comment"):
        story.wait_for(
            f"no check on {first[:7]} is running or failed",
            lambda: set(_conclusions(page, first)) <= {"neutral"},
            lambda: _conclusions(page, first),
        )
        story.check("one comment", true=len(page.tables) == 1, seen=page.tables)
        story.check("no reply", true=not page.replies, seen=page.replies)
        bad = [word for word in ("failed", "refused", "interrupted") if word in page.status]
        story.check("the comment shows no failure", true=not bad, seen=page.status)

    with story.step("Ann pushes again and applies at once, and is refused because her plan is outdated"):
        story.slow_down("staging", READ, SLOW)
        third = story.push(page, "bigger-web")
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "👎")
        answer = story.wait_for(
            "an answer", lambda: page.reply("the plan for staging is for"), lambda: page.replies
        )
        story.check_text(answer, second[:7], third[:7], "/plan staging", "/apply staging")
        story.check(
            "the cloud is unchanged",
            true=story.resources("staging") == servers,
            seen=story.resources("staging"),
        )

    with story.step("The latest commit is planned automatically"):
        story.wait_for_plan(page, "staging")


def _conclusions(page: PullPage, commit: str) -> list[str]:
    """Return the conclusions of staging's checks on a commit, `None` while running. A plan replaced early has none."""
    return [
        str(one["conclusion"])
        for one in page.checks()
        if (one["name"], one["commit"]) == ("towpath/staging", commit)
    ]
