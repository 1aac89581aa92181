"""A release is taken back: it is read first, consented to, counted, applied exactly, and proven."""

from __future__ import annotations

from bot.playground.tour.pull import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.reverts import consented, released, reverted, way_back
from bot.playground.tour.story import Story

WEB = 'module.server["web"].playground_server.this'
RECORD = "playground_dns_record.www"


@chapter("revert", "a release that replaced a server and dropped a DNS record is taken back", place=130)
def revert(story: Story) -> None:
    with story.step("Ann's servers are on staging, verified"):
        page = story.propose("more-nodes")
        good = released(story, page)
        servers = story.things("staging")

    with story.step("She pushes another image, and drops the DNS record by mistake; that goes there too"):
        bad = released(story, page, "new-image", "drop-dns")
        story.check("web is another one", true=story.things("staging") != servers, seen=servers)
        story.check("no record is left", true=not story.things("staging", "dns_record"))

    with story.step("Everybody can look: the versions of the state, and what lies between them"):
        story.reacts(page, story.say(page, "/history staging"), "👍")
        history = story.sees("an answer", lambda: page.reply("State versions of staging"))
        story.reads(history, good[:7], bad[:7], "3 resources", "2 resources", "checks passed")
        story.reacts(page, story.say(page, "/diff staging"), "👍")
        diff = story.sees("an answer", lambda: page.reply("1 changed, 1 removed"), lambda: page.replies)
        story.reads(diff, f"! {WEB}", 'image = "debian-12" -> "debian-13"', f"- {RECORD}")

    _read(story, page, good)
    _taken(story, page, good, bad)


def _read(story: Story, page: PullPage, good: str) -> None:
    with story.step("Ann wants it back: what that means is planned and read, each action with what it costs"):
        there = story.things("staging")
        told = way_back(story, page, good, "/revert")
        story.reads(told, f"replace {WEB}: what it holds is lost")
        story.reads(told, f"recreate empty {RECORD}: its data and identity are gone already")
        story.check("nothing was changed", true=story.things("staging") == there, seen=there)

    with story.step("It is no plan for /apply"):
        story.reacts(page, story.say(page, "/apply staging"), "👎")
        answer = story.sees("an answer", lambda: page.reply("is a revert's"), lambda: page.replies)
        story.reads(answer, "/revert staging")

    with story.step("A server is lost for good: somebody else must consent, and Ann must type how many"):
        consented(story, page)
        story.reacts(page, story.say(page, "/revert staging"), "👎")
        answer = story.sees("an answer", lambda: page.reply("loses the data of 1 resource"))
        story.reads(answer, WEB, "/revert staging --losing 1")
        story.reacts(page, story.say(page, "/revert staging --losing 2"), "👎")
        story.check("nothing was changed", true=story.things("staging") == there, seen=there)


def _taken(story: Story, page: PullPage, good: str, bad: str) -> None:
    with story.step("She does: staging is as the good release left it, which is proven"):
        told = reverted(story, page, good, "/revert staging --losing 1")
        story.reads(told, "New by identity, and empty", WEB, RECORD)
        story.check(
            "the link to what git should take back",
            true=f"/compare/{good}...{bad})" in page.status,
            seen=page.status,
        )
        servers = story.world.clouds["staging"].things("server").values()
        story.check("the old image", true=[one["image"] for one in servers] == ["debian-12"], seen=servers)
        records = story.things("staging", "dns_record")
        story.check("the record is back", true=len(records) == 1, seen=records)

    with story.step("It is on the record: a version of its own, a deployment, its smoke checks"):
        before = len(page.replies)
        story.reacts(page, story.say(page, "/history staging"), "👍")
        history = story.sees("an answer", lambda: page.reply("State versions of staging", after=before))
        story.reads(history, "checks passed, a revert")
        story.sees(
            "the check says it",
            lambda: page.check("staging").get("title") == "staging: reverted",
            lambda: page.check("staging"),
        )
        story.sees(
            "the newest deployment is of the good commit, with success",
            lambda: _newest(page) == (good, "success"),
            lambda: page.deployments("staging"),
        )


def _newest(page: PullPage) -> tuple[str, str]:
    newest = page.deployments("staging")[-1]
    return newest["commit"], newest["states"][-1]["state"]
