"""An apply breaks half way; going back brings what stood there before it."""

from __future__ import annotations

from bot.playground.tour.pull import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.reverts import everything, released, reverted, way_back
from bot.playground.tour.story import Story

WEB = 'module.server["web"].playground_server.this'
RECORD = "playground_dns_record.www"
FULL = "507: no room is left for debian-13"


@chapter("revert-partial", "an apply fails half way, and what stood there before is brought back", place=140)
def revert_partial(story: Story) -> None:
    with story.step("Ann's servers are on staging, verified"):
        page = story.propose("more-nodes")
        good = released(story, page)
        before = everything(story)
        story.check("a server, a record, a cluster", true=len(before) == 3, seen=before)

    with story.step("She pushes another image without the DNS record; the cloud will have no room for it"):
        story.push(page, "new-image")
        bad = story.push(page, "drop-dns")
        story.stands(page, "staging")
        story.world.clouds["staging"].faults(
            {"create:playground_server.staging-web": {"error": FULL, "times": 1}}
        )

    with story.step("The apply fails half way: the old server is gone, and the new one does not come"):
        story.reacts(page, story.say(page, "/apply staging"), "👎")
        story.sees(
            "the apply failed, and why",
            lambda: "apply failed" in page.row("staging")["State"] and FULL in page.status,
            lambda: page.status,
        )
        left = everything(story)
        story.check("the cluster alone is left", true=set(left) == {"staging-main"}, seen=left)

    _back(story, page, good, bad)

    with story.step("What stood there stands there again, and the cluster was not touched"):
        after = everything(story)
        story.check("the same names", true=set(after) == set(before), seen=after)
        story.check("the same cluster", true=after["staging-main"] == before["staging-main"], seen=after)
        servers = story.world.clouds["staging"].things("server").values()
        story.check("the old image", true=[one["image"] for one in servers] == ["debian-12"], seen=servers)
        story.reads(page.row("staging")["State"], f"held at {good[:7]}")


def _back(story: Story, page: PullPage, good: str, bad: str) -> None:
    with story.step(
        "Ann asks for the way back: to the last release that was verified, from what is there now"
    ):
        told = way_back(story, page, good, "/revert")
        story.reads(told, f"recreate empty {WEB}: its data and identity are gone already")
        story.reads(told, f"recreate empty {RECORD}: its data and identity are gone already")

    with story.step("Nothing more is lost on it, so nobody else is asked: it is applied, and proven"):
        told = reverted(story, page, good)
        story.reads(told, "New by identity, and empty", WEB, RECORD)
        story.check("the link to git", true=f"/compare/{good}...{bad})" in page.status, seen=page.status)
        story.reacts(page, story.say(page, "/history staging"), "👍")
        history = story.sees("an answer", lambda: page.reply("State versions of staging"))
        story.reads(history, good[:7], bad[:7], "checks passed, a revert")
