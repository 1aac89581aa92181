"""After a revert the environment is held: what was taken back does not come back by mistake."""

from __future__ import annotations

from bot.playground.tour.production import applied
from bot.playground.tour.pull import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.reverts import released, reverted, way_back
from bot.playground.tour.story import Story


@chapter("hold", "what was taken back stays out until somebody lifts the hold", place=150)
def hold(story: Story) -> None:
    with story.step("Ann's second commit is on staging, and she takes it back"):
        page = story.propose("more-nodes")
        good = released(story, page)
        bad = released(story, page, "bigger-web")
        _is(story, "m")
        way_back(story, page, good)
        reverted(story, page, good)
        _is(story, "s")

    with story.step("Everybody sees the hold: in the status comment, by /status, and in Slack"):
        story.reads(page.row("staging")["State"], f"held at {good[:7]}")
        story.reacts(page, story.say(page, "/status", author="dave"), "👍")
        shown = story.sees("an answer", lambda: page.tables[1:], lambda: page.tables)
        story.reads(shown[0], "held at", good[:7])
        story.reads(story.slash("ann", f"status #{page.number}"), f"held at `{good[:7]}`")

    _refused(story, page, good, bad)
    _lifted(story, page, bad)


def _refused(story: Story, page: PullPage, good: str, bad: str) -> None:
    with story.step("The reverted commit may be planned, and is refused: why, and the way out"):
        story.reacts(page, story.say(page, "/plan staging"), "👍")
        story.sees(
            "its plan has the hold beside it",
            lambda: (
                page.row("staging")["Planned"].startswith(bad[:7])
                and page.row("staging")["Next"] == "/unhold staging"
            ),
            lambda: page.status,
        )
        story.reacts(page, story.say(page, "/apply staging"), "👎")
        answer = story.sees("an answer", lambda: page.reply("is held at"), lambda: page.replies)
        story.reads(answer, good[:7], bad[:7], "ann's revert", "/unhold staging")

    with story.step("A commit on top of it has it in it, and is refused too"):
        story.push(page, "add-server")
        story.sees(
            "its plan has the hold beside it",
            lambda: (
                page.row("staging")["Planned"].startswith(page.head[:7])
                and page.row("staging")["Next"] == "/unhold staging"
            ),
            lambda: page.status,
        )
        told = len(page.replies)
        story.reacts(page, story.say(page, "/apply staging"), "👎")
        story.sees("an answer", lambda: page.reply("is held at", after=told), lambda: page.replies)
        _is(story, "s")


def _lifted(story: Story, page: PullPage, bad: str) -> None:
    with story.step("Dave, who only reads, may not lift the hold; Ann may, below production"):
        story.reacts(page, story.say(page, "/unhold staging", author="dave"), "👎")
        story.reads(page.row("staging")["State"], "held at")
        story.reacts(page, story.say(page, "/unhold staging"), "👍")
        answer = story.sees("an answer", lambda: page.reply("is not held any more"), lambda: page.replies)
        story.reads(answer, bad[:7])

    with story.step("Now it goes"):
        story.stands(page, "staging")
        story.reacts(page, story.say(page, "/apply staging"), "🚀")
        applied(story, page, "staging")
        servers = story.things("staging")
        story.check("web and api", true=set(servers) == {"staging-web", "staging-api"}, seen=servers)
        story.check(
            "no hold", true="held" not in page.row("staging")["State"], seen=page.row("staging")["State"]
        )


def _is(story: Story, size: str) -> None:
    sizes = [one["size"] for one in story.world.clouds["staging"].things("server").values()]
    story.check(f"web has the size {size}", true=sizes == [size], seen=sizes)
