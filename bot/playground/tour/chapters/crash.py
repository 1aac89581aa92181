"""kill -9 in the middle of an apply, and of a plan."""

from __future__ import annotations

from bot.playground.tour.pull import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story

SLOW = 3.0
"""Seconds that the cloud takes once: time to kill the worker meanwhile."""
CREATE, READ = "create:playground_server.staging-web", "read:playground_server.staging-web"
CREATING = 'module.server["web"].playground_server.this: Creating'


@chapter("crash", "the worker is killed, and nothing is lost, done twice or made up", place=50)
def crash(story: Story) -> None:
    with story.step("Ann's pull request is planned; staging's cloud takes its time to create a server"):
        page = story.propose("add-server")
        story.stands(page, "staging")
        story.slow("staging", CREATE, SLOW)

    with story.step("Ann applies, and the worker is killed while the server is being created"):
        story.say(page, "/apply staging")
        story.sees(
            "the live log says that web is being created",
            lambda: CREATING in page.log("staging", CREATING),
            lambda: page.log("staging", CREATING),
        )
        _kill(story)
        story.check("web was not there yet", true="staging-web" not in story.things("staging"))

    with story.step("Terraform was interrupted once: what it had begun is finished, nothing else is begun"):
        story.sees(
            "web is there", lambda: "staging-web" in story.things("staging"), lambda: story.things("staging")
        )
        records = story.things("staging", "dns_record")
        story.check("no DNS record, which would have come next", true=not records, seen=records)
        built = story.things("staging")

    with story.step("The worker is started again; the comment tells the truth"):
        story.world.bot.start()
        story.sees(
            "the apply was interrupted",
            lambda: "apply was interrupted" in page.row("staging")["State"],
            lambda: page.status,
        )
        story.reads(page.status, "not repeated by itself", 'module.server["web"]', "/plan staging")
        story.check(
            "nothing was applied twice", true=story.things("staging") == built, seen=story.things("staging")
        )

    _finish(story, page, built)
    _during_plan(story, page)


def _finish(story: Story, page: PullPage, built: dict[str, str]) -> None:
    with story.step("The lock still has its owner"):
        answer = story.slash("bob", "lock staging")
        story.reads(answer, "staging is locked by", f"#{page.number}", "ann")

    with story.step("/plan shows what is left to do, /apply finishes it"):
        story.say(page, "/plan staging")
        story.stands(page, "staging")
        story.check(
            "only the record is left", true=page.row("staging")["Plan"] == "+1 ~0 -0", seen=page.status
        )
        story.reacts(page, story.say(page, "/apply staging"), "🚀")
        story.check("the same servers", true=story.things("staging") == built, seen=story.things("staging"))
        story.check("and the record", true=len(story.things("staging", "dns_record")) == 1)


def _during_plan(story: Story, page: PullPage) -> None:
    with story.step("Ann pushes, and the worker is killed while it plans"):
        story.slow("staging", READ, SLOW)
        story.push(page, "more-nodes")
        story.sees("Terraform reads the cloud", lambda: story.reached("staging", READ), lambda: page.status)
        _kill(story)

    with story.step("The worker is started again, and the plan is there"):
        story.world.bot.start()
        row = story.stands(page, "staging")
        story.check("one more node", true="~1" in row["Plan"], seen=row)
        story.check("one status comment", true=len(page.tables) == 1, seen=page.tables)


def _kill(story: Story) -> None:
    story.narrator.said("an operator", "the machine", "kill -9 of the worker")
    story.world.bot.kill()
