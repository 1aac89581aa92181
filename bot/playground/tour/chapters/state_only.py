"""Break-glass for the record: an old state is written anew, and nothing in the world changes."""

from __future__ import annotations

from bot.playground.tour.production import applied, rule
from bot.playground.tour.pull import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.reverts import everything, released
from bot.playground.tour.story import Story

API = 'module.server["api"].playground_server.this'
RECORD = "playground_dns_record.www"
FORCE = ("[env.staging]\n", '[env.staging]\nforce = { users = ["carol"] }\n')
BACK = "/revert staging --state-only 1"


@chapter("state-only", "break-glass: the record goes back, and the world does not", place=180)
def state_only(story: Story) -> None:
    with story.step("Ann's second release adds a server and drops the DNS record; Carol may break the glass"):
        rule(story, "Carol may force staging", FORCE)
        page = story.propose("more-nodes")
        released(story, page)
        released(story, page, "add-server", "drop-dns")
        world = everything(story)

    with story.step("Ann may not write an old state anew: the policy names Carol alone"):
        story.reacts(page, story.say(page, BACK), "👎")
        story.sees("an answer", lambda: page.reply("staging may be forced by @carol"), lambda: page.replies)

    with story.step("Carol is told what no state would know, and what the state would only believe in"):
        story.reacts(page, story.say(page, BACK, author="carol"), "👎")
        answer = story.sees("an answer", lambda: page.reply("orphans", "ghosts"), lambda: page.replies)
        story.reads(answer, f"no state would know: {API}", f"believe in: {RECORD}", "--orphans 1 --ghosts 1")
        story.reacts(page, story.say(page, f"{BACK} --orphans 0 --ghosts 1", author="carol"), "👎")

    with story.step("She says that she knows: the old state is written, under a new serial"):
        story.reacts(page, story.say(page, f"{BACK} --orphans 1 --ghosts 1", author="carol"), "👍")
        answer = story.sees("an answer", lambda: page.reply("that of serial 1 again"), lambda: page.replies)
        story.reads(answer, "nothing in the world was changed", "/unlock staging")
        story.reacts(page, story.say(page, "/history staging"), "👍")
        history = story.sees("an answer", lambda: page.reply("State versions of staging"))
        story.check(
            "serial 3", true=any(row.startswith("| 3 ") for row in history.splitlines()), seen=history
        )
        story.check("the world is as it was", true=everything(story) == world, seen=everything(story))

    _accepted(story, page, world)


def _accepted(story: Story, page: PullPage, world: dict[str, str]) -> None:
    with story.step("Its plan shows what that means, and nothing is applied until somebody accepts it"):
        story.sees(
            "a server to create, since no state knows the one that is there",
            lambda: page.row("staging")["Plan"].startswith("+1 ~0 -0"),
            lambda: page.status,
        )
        story.reads(page.row("staging")["State"], "@carol", "state-only revert to serial 1")
        story.reacts(page, story.say(page, "/apply staging"), "👎")
        answer = story.sees("an answer", lambda: page.reply("staging is locked by"), lambda: page.replies)
        story.reads(answer, "@carol", "to unlock it accepts its plan")
        story.check("the world is as it was", true=everything(story) == world, seen=everything(story))

    with story.step("Carol deletes the orphan in the cloud's own console, and accepts"):
        old = page.check("staging")["url"]
        story.narrator.said("carol", "the cloud's console", "deletes staging-api")
        story.world.clouds["staging"].drop("server", world["staging-api"])
        story.reacts(page, story.say(page, "/unlock staging", author="carol"), "👍")
        story.sees("a fresh plan stands", lambda: page.replanned("staging", old), lambda: page.status)

    with story.step("Ann applies it: state and world agree again"):
        story.reacts(page, story.say(page, "/apply staging"), "🚀")
        applied(story, page, "staging")
        after = everything(story)
        story.check("the same names", true=set(after) == set(world), seen=after)
        story.check("another api", true=after["staging-api"] != world["staging-api"], seen=after)
        story.reacts(page, story.say(page, "/drift staging"), "👍")
        story.sees("no drift", lambda: page.reply("staging: no drift"), lambda: page.replies)
