"""kill -9 in the middle of an apply and of a plan."""

from __future__ import annotations

from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story

SLOW = 3.0
"""Seconds by which one operation of the cloud is slowed down, to kill the bot meanwhile."""
CREATE, READ = "create:playground_server.staging-web", "read:playground_server.staging-web"
CREATING = 'module.server["web"].playground_server.this: Creating'


@chapter("crash", "the bot is killed, and nothing is lost or done twice", order=50)
def crash(story: Story) -> None:
    with story.step("Ann's pull request is planned; staging's cloud is slow to create a server"):
        page = story.propose("add-server")
        story.wait_for_plan(page, "staging")
        story.slow_down("staging", CREATE, SLOW)

    with story.step("Ann applies, and the bot is killed while the server is being created"):
        story.comment(page, "/apply staging")
        story.wait_for(
            "the live log says that web is being created",
            lambda: CREATING in page.log("staging", CREATING),
            lambda: page.log("staging", CREATING),
        )
        _kill(story)
        story.check("web does not exist yet", true="staging-web" not in story.resources("staging"))

    with story.step("Terraform is interrupted: it finishes what it has started, and starts nothing else"):
        story.wait_for(
            "web exists",
            lambda: "staging-web" in story.resources("staging"),
            lambda: story.resources("staging"),
        )
        records = story.resources("staging", "dns_record")
        story.check("no DNS record, which would have been next", true=not records, seen=records)
        built = story.resources("staging")

    with story.step("The bot is started again, and the status comment shows the interrupted apply"):
        story.world.bot.start()
        story.wait_for(
            "the apply was interrupted",
            lambda: "apply interrupted" in page.row("staging")["State"],
            lambda: page.status,
        )
        story.check_text(page.status, "not repeated automatically", 'module.server["web"]', "/plan staging")
        story.check(
            "nothing was applied twice",
            true=story.resources("staging") == built,
            seen=story.resources("staging"),
        )

    _finish(story, page, built)
    _killed_during_plan(story, page)


def _finish(story: Story, page: PullPage, built: dict[str, str]) -> None:
    with story.step("The lock is still held"):
        answer = story.slash("bob", "lock staging")
        story.check_text(answer, f"staging is locked: #{page.number} (@ann) has held the lock")

    with story.step("/plan shows what is left, and /apply completes it"):
        story.comment(page, "/plan staging")
        story.wait_for_plan(page, "staging")
        story.check(
            "only the record is left",
            true=page.row("staging")["Plan"].startswith("+1 ~0 -0"),
            seen=page.status,
        )
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "🚀")
        story.check(
            "the same servers", true=story.resources("staging") == built, seen=story.resources("staging")
        )
        story.check("and the record", true=len(story.resources("staging", "dns_record")) == 1)


def _killed_during_plan(story: Story, page: PullPage) -> None:
    with story.step("Ann pushes, and the bot is killed during the plan"):
        story.slow_down("staging", READ, SLOW)
        story.push(page, "more-nodes")
        story.wait_for(
            "Terraform reads the cloud",
            lambda: story.slow_operation_started("staging", READ),
            lambda: page.status,
        )
        _kill(story)

    with story.step("The bot is started again, and the plan is made"):
        story.world.bot.start()
        row = story.wait_for_plan(page, "staging")
        story.check("one more node", true="~1" in row["Plan"], seen=row)
        story.check("one status comment", true=len(page.tables) == 1, seen=page.tables)


def _kill(story: Story) -> None:
    story.narrator.action("an operator", "the machine", "kill -9 of the bot")
    story.world.bot.kill()
