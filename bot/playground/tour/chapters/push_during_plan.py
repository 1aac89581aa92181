"""Pushes overtake plans: what people read is always of the newest commit, and only that is applied."""

from __future__ import annotations

from bot.playground.tour.pull import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story

SLOW = 2.0
"""Seconds that staging's cloud takes to be read once, so that the plan which reads it is overtaken for sure."""
READ = "read:playground_server.staging-web"


@chapter("push-during-plan", "a push overtakes a plan, and an outdated plan is never applied", place=40)
def push_during_plan(story: Story) -> None:
    with story.step("Ann's pull request is applied to staging, so that its next plans read the cloud"):
        page = story.propose("more-nodes")
        story.stands(page, "staging")
        story.reacts(page, story.say(page, "/apply staging"), "🚀")
        servers = story.things("staging")

    with story.step("Ann pushes, and pushes again while the first push is being planned"):
        story.slow("staging", READ, SLOW)
        first = story.push(page, "add-server")
        story.sees(
            f"Terraform plans {first[:7]}", lambda: story.reached("staging", READ), lambda: page.status
        )
        second = story.push(page, "drop-dns")
        row = story.stands(page, "staging")
        story.check("the newest commit's plan stands", true=row["Planned"].startswith(second[:7]), seen=row)
        story.check("with what both pushes change", true=row["Plan"].endswith("+1 ~0 -1"), seen=row)

    with story.step("The older plan gave way: replaced, not failed and not refused; still one comment"):
        story.sees(
            f"no check on {first[:7]} is left running, or says that something failed",
            lambda: set(_conclusions(page, first)) <= {"neutral"},
            lambda: _conclusions(page, first),
        )
        story.check("one comment", true=len(page.tables) == 1, seen=page.tables)
        story.check("no reply", true=not page.replies, seen=page.replies)
        bad = [word for word in ("failed", "refused", "interrupted") if word in page.status]
        story.check("nothing went wrong in it", true=not bad, seen=page.status)

    with story.step("Ann pushes once more and applies at once: the plan that she has read is outdated"):
        story.slow("staging", READ, SLOW)
        third = story.push(page, "bigger-web")
        story.reacts(page, story.say(page, "/apply staging"), "👎")
        answer = story.sees(
            "an answer", lambda: page.reply("the plan for staging is of"), lambda: page.replies
        )
        story.reads(answer, second[:7], third[:7], "/plan staging", "/apply staging")
        story.check(
            "the cloud is as it was", true=story.things("staging") == servers, seen=story.things("staging")
        )

    with story.step("The newest plan comes by itself"):
        story.stands(page, "staging")


def _conclusions(page: PullPage, commit: str) -> list[str]:
    """How staging's checks on one commit ended (`None` while one runs). A plan that gives way soon never had one."""
    return [
        str(one["conclusion"])
        for one in page.timeline("check")
        if (one["name"], one["commit"]) == ("towpath/staging", commit)
    ]
