"""Break-glass for the state: an old state is restored without changing the infrastructure."""

from __future__ import annotations

from bot.playground.tour.production_steps import change_policy, wait_until_applied
from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.revert_steps import all_resources, release_to_staging
from bot.playground.tour.story import Story

API = 'module.server["api"].playground_server.this'
RECORD = "playground_dns_record.www"
FORCE = ("[env.staging]\n", '[env.staging]\nforce = { users = ["carol"] }\n')
BACK = "/revert staging --state-only 1"


@chapter("state-only", "break-glass: the state is reverted, and the infrastructure is not", order=180)
def state_only(story: Story) -> None:
    with story.step("Ann's second release adds a server and drops the DNS record; Carol may force staging"):
        change_policy(story, "allow Carol to force staging", FORCE)
        page = story.propose("more-nodes")
        release_to_staging(story, page)
        release_to_staging(story, page, "add-server", "drop-dns")
        before = all_resources(story)

    with story.step("Ann may not restore an old state: the policy allows only Carol"):
        story.wait_for_reactions(page, story.comment(page, BACK), "👎")
        story.wait_for(
            "an answer", lambda: page.reply("Only @carol can force changes to staging"), lambda: page.replies
        )

    with story.step("Carol sees which resources the old state does not know, and which no longer exist"):
        story.wait_for_reactions(page, story.comment(page, BACK, author="carol"), "👎")
        answer = story.wait_for("an answer", lambda: page.reply("orphans", "ghosts"), lambda: page.replies)
        story.check_text(
            answer,
            f"(exist, but in no state): {API}",
            f"(in the state, but may not exist): {RECORD}",
            "--orphans 1 --ghosts 1",
        )
        story.wait_for_reactions(
            page, story.comment(page, f"{BACK} --orphans 0 --ghosts 1", author="carol"), "👎"
        )

    with story.step("She confirms, and the old state is written under a new serial"):
        story.wait_for_reactions(
            page, story.comment(page, f"{BACK} --orphans 1 --ghosts 1", author="carol"), "👍"
        )
        answer = story.wait_for(
            "an answer",
            lambda: page.reply("Restored the state of staging from serial 1"),
            lambda: page.replies,
        )
        story.check_text(answer, "no resource was changed", "/unlock staging")
        story.wait_for_reactions(page, story.comment(page, "/history staging"), "👍")
        history = story.wait_for("an answer", lambda: page.reply("State versions of staging"))
        story.check(
            "serial 3", true=any(row.startswith("| 3 ") for row in history.splitlines()), seen=history
        )
        story.check(
            "the infrastructure is unchanged", true=all_resources(story) == before, seen=all_resources(story)
        )

    _accepted(story, page, before)


def _accepted(story: Story, page: PullPage, before: dict[str, str]) -> None:
    with story.step("The new plan shows the consequences, and staging is locked until somebody accepts it"):
        story.wait_for(
            "a server to create, since the state does not know the existing one",
            lambda: page.row("staging")["Plan"].startswith("+1 ~0 -0"),
            lambda: page.status,
        )
        story.check_text(page.row("staging")["State"], "@carol", "state-only revert to serial 1")
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "👎")
        answer = story.wait_for("an answer", lambda: page.reply("staging is locked by"), lambda: page.replies)
        story.check_text(answer, "@carol", "unlocking accepts its plan")
        story.check(
            "the infrastructure is unchanged", true=all_resources(story) == before, seen=all_resources(story)
        )

    with story.step("Carol deletes the orphan in the cloud's console and accepts the plan"):
        old = page.check("staging").url
        story.narrator.action("carol", "the cloud's console", "deletes staging-api")
        story.world.clouds["staging"].drop("server", before["staging-api"])
        story.wait_for_reactions(page, story.comment(page, "/unlock staging", author="carol"), "👍")
        story.wait_for("a new plan is ready", lambda: page.replanned("staging", old), lambda: page.status)

    with story.step("Ann applies it, and state and infrastructure agree again"):
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "🚀")
        wait_until_applied(story, page, "staging")
        after = all_resources(story)
        story.check("the same names", true=set(after) == set(before), seen=after)
        story.check("a new api server", true=after["staging-api"] != before["staging-api"], seen=after)
        story.wait_for_reactions(page, story.comment(page, "/drift staging"), "👍")
        story.wait_for("no drift", lambda: page.reply("staging: no drift"), lambda: page.replies)
