"""A release is reverted: planned, reviewed, approved, confirmed, applied, and compared with the earlier release."""

from __future__ import annotations

from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.revert_steps import apply_revert, approve_revert, plan_revert, release_to_staging
from bot.playground.tour.story import Story

WEB = 'module.server["web"].playground_server.this'
RECORD = "playground_dns_record.www"


@chapter("revert", "a release that replaced a server and dropped a DNS record is reverted", order=130)
def revert(story: Story) -> None:
    with story.step("Ann's change is on staging and verified"):
        page = story.propose("more-nodes")
        good = release_to_staging(story, page)
        servers = story.resources("staging")

    with story.step("She pushes another image, drops the DNS record by mistake, and applies both"):
        bad = release_to_staging(story, page, "new-image", "drop-dns")
        story.check("web was replaced", true=story.resources("staging") != servers, seen=servers)
        story.check("the record is gone", true=not story.resources("staging", "dns_record"))

    with story.step("Everyone can see the state versions and the differences between them"):
        story.wait_for_reactions(page, story.comment(page, "/history staging"), "👍")
        history = story.wait_for("an answer", lambda: page.reply("State versions of staging"))
        story.check_text(history, good[:7], bad[:7], "3 resources", "2 resources", "checks passed")
        story.wait_for_reactions(page, story.comment(page, "/diff staging"), "👍")
        diff = story.wait_for("an answer", lambda: page.reply("1 changed, 1 removed"), lambda: page.replies)
        story.check_text(diff, f"! {WEB}", 'image = "debian-12" -> "debian-13"', f"- {RECORD}")

    _plan(story, page, good)
    _apply(story, page, good, bad)


def _plan(story: Story, page: PullPage, good: str) -> None:
    with story.step("Ann plans a revert, and the plan shows each action and what it loses"):
        before = story.resources("staging")
        summary = plan_revert(story, page, good, "/revert")
        story.check_text(summary, f"replace {WEB}: its data is lost")
        story.check_text(summary, f"recreate empty {RECORD}: its data and identity are already lost")
        story.check("nothing was changed", true=story.resources("staging") == before, seen=before)

    with story.step("/apply does not apply the plan of a revert"):
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "👎")
        answer = story.wait_for("an answer", lambda: page.reply("staging is a revert"), lambda: page.replies)
        story.check_text(answer, "/revert staging")

    with story.step(
        "A server is lost for good, so somebody else must approve, and Ann must enter how many are lost"
    ):
        approve_revert(story, page)
        story.wait_for_reactions(page, story.comment(page, "/revert staging"), "👎")
        answer = story.wait_for("an answer", lambda: page.reply("permanently loses the data of 1 resource"))
        story.check_text(answer, WEB, "/revert staging --losing 1")
        story.wait_for_reactions(page, story.comment(page, "/revert staging --losing 2"), "👎")
        story.check("nothing was changed", true=story.resources("staging") == before, seen=before)


def _apply(story: Story, page: PullPage, good: str, bad: str) -> None:
    with story.step("She does, and staging matches the good release again"):
        status = apply_revert(story, page, good, "/revert staging --losing 1")
        story.check_text(status, "Recreated, contents lost", WEB, RECORD)
        story.check(
            "a link to the commits to revert in git",
            true=f"/compare/{good}...{bad})" in page.status,
            seen=page.status,
        )
        servers = story.world.clouds["staging"].things("server").values()
        story.check("the old image", true=[one["image"] for one in servers] == ["debian-12"], seen=servers)
        records = story.resources("staging", "dns_record")
        story.check("the record exists again", true=len(records) == 1, seen=records)

    with story.step("It is recorded: a state version, a deployment, its smoke checks"):
        before = len(page.replies)
        story.wait_for_reactions(page, story.comment(page, "/history staging"), "👍")
        history = story.wait_for("an answer", lambda: page.reply("State versions of staging", after=before))
        story.check_text(history, "checks passed, revert")
        story.wait_for(
            "the check shows the revert",
            lambda: page.check("staging").title == "staging: reverted",
            lambda: page.check("staging"),
        )
        story.wait_for(
            "the newest deployment is of the good commit and succeeded",
            lambda: _newest(page) == (good, "success"),
            lambda: page.deployments("staging"),
        )


def _newest(page: PullPage) -> tuple[str, str]:
    newest = page.deployments("staging")[-1]
    return newest["commit"], newest["states"][-1]["state"]
