"""An apply fails half way, and a revert restores what was there before."""

from __future__ import annotations

from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.revert_steps import all_resources, apply_revert, plan_revert, release_to_staging
from bot.playground.tour.story import Story

WEB = 'module.server["web"].playground_server.this'
RECORD = "playground_dns_record.www"
FULL = "507: no capacity left for debian-13"


@chapter("revert-partial", "an apply fails half way, and a revert restores what was there before", order=140)
def revert_partial(story: Story) -> None:
    with story.step("Ann's change is on staging and verified"):
        page = story.propose("more-nodes")
        good = release_to_staging(story, page)
        before = all_resources(story)
        story.check("a server, a record, a cluster", true=len(before) == 3, seen=before)

    with story.step(
        "She pushes another image and drops the DNS record; the cloud has no capacity for the new server"
    ):
        story.push(page, "new-image")
        bad = story.push(page, "drop-dns")
        story.wait_for_plan(page, "staging")
        story.world.clouds["staging"].faults(
            {"create:playground_server.staging-web": {"error": FULL, "times": 1}}
        )

    with story.step("The apply fails half way: the old server is gone, and the new one is not created"):
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "👎")
        story.wait_for(
            "the failed apply and its reason",
            lambda: "apply failed" in page.row("staging")["State"] and FULL in page.status,
            lambda: page.status,
        )
        left = all_resources(story)
        story.check("only the cluster is left", true=set(left) == {"staging-main"}, seen=left)

    _revert(story, page, good, bad)

    with story.step("Everything is restored, and the cluster was not touched"):
        after = all_resources(story)
        story.check("the same names", true=set(after) == set(before), seen=after)
        story.check("the same cluster", true=after["staging-main"] == before["staging-main"], seen=after)
        servers = story.world.clouds["staging"].things("server").values()
        story.check("the old image", true=[one["image"] for one in servers] == ["debian-12"], seen=servers)
        story.check_text(page.row("staging")["State"], f"on hold at {good[:7]}")


def _revert(story: Story, page: PullPage, good: str, bad: str) -> None:
    with story.step("Ann plans a revert to the last verified release, starting from what is there now"):
        summary = plan_revert(story, page, good, "/revert")
        story.check_text(summary, f"recreate empty {WEB}: its data and identity are already lost")
        story.check_text(summary, f"recreate empty {RECORD}: its data and identity are already lost")

    with story.step(
        "Nothing else is lost, so no approval is needed; it is applied and staging matches the release"
    ):
        status = apply_revert(story, page, good)
        story.check_text(status, "Recreated, contents lost", WEB, RECORD)
        story.check(
            "a link to the commits to revert in git",
            true=f"/compare/{good}...{bad})" in page.status,
            seen=page.status,
        )
        story.wait_for_reactions(page, story.comment(page, "/history staging"), "👍")
        history = story.wait_for("an answer", lambda: page.reply("State versions of staging"))
        story.check_text(history, good[:7], bad[:7], "checks passed, revert")
