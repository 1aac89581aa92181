"""After a revert the environment is held, so that the reverted change is not applied again by mistake."""

from __future__ import annotations

from bot.playground.tour.production_steps import wait_until_applied
from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.revert_steps import apply_revert, plan_revert, release_to_staging
from bot.playground.tour.story import Story


@chapter("hold", "a reverted change stays out until the hold is lifted", order=150)
def hold(story: Story) -> None:
    with story.step("Ann applies a second commit to staging and reverts it"):
        page = story.propose("more-nodes")
        good = release_to_staging(story, page)
        bad = release_to_staging(story, page, "bigger-web")
        _check_size(story, "m")
        plan_revert(story, page, good)
        apply_revert(story, page, good)
        _check_size(story, "s")

    with story.step("Everyone sees the hold: in the status comment, with /status, and in Slack"):
        story.check_text(page.row("staging")["State"], f"on hold at {good[:7]}")
        story.wait_for_reactions(page, story.comment(page, "/status", author="dave"), "👍")
        shown = story.wait_for("an answer", lambda: page.tables[1:], lambda: page.tables)
        story.check_text(shown[0], "on hold at", good[:7])
        story.check_text(story.slash("ann", f"status #{page.number}"), f"on hold at `{good[:7]}`")

    _refused(story, page, good, bad)
    _lifted(story, page, bad)


def _refused(story: Story, page: PullPage, good: str, bad: str) -> None:
    with story.step(
        "The reverted commit can be planned; applying it is refused, with the reason and the next command"
    ):
        story.wait_for_reactions(page, story.comment(page, "/plan staging"), "👍")
        story.wait_for(
            "the plan, with /unhold as the next command",
            lambda: (
                page.row("staging")["Planned"].startswith(bad[:7])
                and page.row("staging")["Next"] == "/unhold staging"
            ),
            lambda: page.status,
        )
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "👎")
        answer = story.wait_for("an answer", lambda: page.reply("is on hold at"), lambda: page.replies)
        story.check_text(answer, good[:7], bad[:7], "ann reverted it", "/unhold staging")

    with story.step("A commit on top of it includes it, and is refused too"):
        story.push(page, "add-server")
        story.wait_for(
            "the plan, with /unhold as the next command",
            lambda: (
                page.row("staging")["Planned"].startswith(page.head[:7])
                and page.row("staging")["Next"] == "/unhold staging"
            ),
            lambda: page.status,
        )
        before = len(page.replies)
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "👎")
        story.wait_for("an answer", lambda: page.reply("is on hold at", after=before), lambda: page.replies)
        _check_size(story, "s")


def _lifted(story: Story, page: PullPage, bad: str) -> None:
    with story.step("Dave, who has read access, may not lift the hold; Ann may, as this is not production"):
        story.wait_for_reactions(page, story.comment(page, "/unhold staging", author="dave"), "👎")
        story.check_text(page.row("staging")["State"], "on hold at")
        story.wait_for_reactions(page, story.comment(page, "/unhold staging"), "👍")
        answer = story.wait_for("an answer", lambda: page.reply("is no longer on hold"), lambda: page.replies)
        story.check_text(answer, bad[:7])

    with story.step("Now the apply is allowed"):
        story.wait_for_plan(page, "staging")
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "🚀")
        wait_until_applied(story, page, "staging")
        servers = story.resources("staging")
        story.check("web and api", true=set(servers) == {"staging-web", "staging-api"}, seen=servers)
        story.check(
            "no hold", true="hold" not in page.row("staging")["State"], seen=page.row("staging")["State"]
        )


def _check_size(story: Story, size: str) -> None:
    sizes = [one["size"] for one in story.world.clouds["staging"].things("server").values()]
    story.check(f"web has the size {size}", true=sizes == [size], seen=sizes)
