"""Locks taken by hand or by a pull request's apply, and the waiting list."""

from __future__ import annotations

from bot.playground import sample
from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story
from bot.playground.world import REPOSITORY


@chapter("locks", "everyone sees who holds staging, and is notified when it is free", order=30)
def locks(story: Story) -> None:
    with story.step("Ann opens a pull request, and it is planned"):
        page = story.propose("add-server")
        story.wait_for_plan(page, "staging")

    with story.step("Bob locks staging in Slack with a reason that everyone sees"):
        answer = story.slash("bob", "lock staging load test until noon")
        story.check_text(answer, "locked by", "load test until noon", "/infra unlock staging")
        story.wait_for(
            "the status comment names owner and reason",
            lambda: all(word in page.row("staging")["State"] for word in ("@bob", "load test until noon")),
            lambda: page.status,
        )

    with story.step("Ann's /apply is refused: who holds the lock, why, and how to release it"):
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "👎")
        answer = story.wait_for("an answer", lambda: page.reply("staging is locked by"))
        story.check_text(answer, "bob", "load test until noon", "/unlock staging", "waiting list")

    with story.step("Ann, who has write, cannot release Bob's lock"):
        story.wait_for_reactions(page, story.comment(page, "/unlock staging"), "👎")
        answer = story.wait_for("an answer", lambda: page.reply("Unlocking it needs the"))
        story.check_text(answer, "maintain", "write", "bob")

    with story.step("Bob releases it; Ann is notified and gets a new plan, and nothing is applied"):
        old = page.check("staging").url
        story.check_text(
            story.slash("bob", "unlock staging"), "was unlocked by", f"#{page.number} was waiting"
        )
        story.wait_for("ann is notified", lambda: page.reply("staging is free", "ann"), lambda: page.replies)
        story.wait_for("a new plan is ready", lambda: page.replanned("staging", old), lambda: page.status)
        story.check(
            "the cloud is empty", true=not story.resources("staging"), seen=story.resources("staging")
        )

    _waiting_list(story, page)


def _waiting_list(story: Story, page: PullPage) -> None:
    with story.step("Ann applies it, and her pull request holds the lock"):
        story.wait_for_reactions(page, story.comment(page, "/apply staging"), "🚀")
        servers = story.resources("staging")
        story.check("web and api exist", true=len(servers) == 2, seen=servers)

    with story.step("Carol's pull request is refused and put on the waiting list"):
        other = story.propose("more-nodes", author="carol")
        story.wait_for(
            "staging is planned", lambda: other.row("staging")["Plan"] not in ("", "–"), lambda: other.status
        )
        story.wait_for_reactions(other, story.comment(other, "/apply staging", author="carol"), "👎")
        answer = story.wait_for(
            "an answer",
            lambda: other.reply(f"staging is locked: #{page.number} (@ann) has held the lock"),
            lambda: other.replies,
        )
        story.check_text(answer, f"#{other.number} is on the waiting list")
        story.wait_for(
            "the status comment shows that she is waiting",
            lambda: f"waiting: #{other.number}" in other.row("staging")["State"],
            lambda: other.status,
        )

    with story.step("Ann's is merged; Carol is notified and gets a new plan, and nothing is applied"):
        old = other.check("staging").url
        story.merge(page, actor="ann")
        story.wait_for(
            "the status comment keeps the apply, without the lock",
            lambda: (
                page.row("staging")["State"].startswith("✅ applied")
                and "🔒" not in page.row("staging")["State"]
            ),
            lambda: page.status,
        )
        story.wait_for(
            "carol is notified", lambda: other.reply("staging is free", "carol"), lambda: other.replies
        )
        story.wait_for(
            "a new plan, and a warning that main has changed",
            lambda: (
                other.check("staging").url != old
                and other.check("staging").status == "completed"
                and "main changed this stack" in other.row("staging")["State"]
            ),
            lambda: other.status,
        )
        story.check("the cloud is unchanged", true=story.resources("staging") == servers, seen=servers)

    with story.step("Her branch lacks the merged commits, so her plan, which would undo them, is refused"):
        story.wait_for_reactions(other, story.comment(other, "/apply staging", author="carol"), "👎")
        story.check_text(
            story.wait_for("an answer", lambda: other.reply("main changed this stack (")),
            "infra/servers.tf",
            "main",
        )

    with story.step("Carol rebases and pushes, and the new plan is applied"):
        _rebase(story, other, "more-nodes")
        story.wait_for_plan(other, "staging")
        story.check("one change", true=other.row("staging")["Plan"].startswith("+0 ~1 -0"), seen=other.status)
        story.wait_for_reactions(other, story.comment(other, "/apply staging", author="carol"), "🚀")
        nodes = [one["nodes"] for one in story.world.clouds["staging"].things("cluster").values()]
        story.check(
            "one more node, and Ann's servers",
            true=nodes == [3] and story.resources("staging") == servers,
            seen=nodes,
        )


def _rebase(story: Story, page: PullPage, change: str) -> None:
    """Force-push the same change on top of main."""
    draft = f"{page.author}/rebased"
    commit = story.world.github.commit_files(
        REPOSITORY, draft, sample.change(change), author=page.author, message=change
    )
    story.narrator.action(page.author, f"#{page.number}", f"rebases onto main and pushes {commit[:7]}")
    story.world.github.move_branch(REPOSITORY, page.branch, commit, actor=page.author)
