"""Locks: by hand with a reason, by a pull request's apply, and the waiting list."""

from __future__ import annotations

from bot.playground import sample
from bot.playground.tour.pull import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story
from bot.playground.world import REPOSITORY


@chapter("locks", "who holds staging is seen, respected, and told when it is free", place=30)
def locks(story: Story) -> None:
    with story.step("Ann's pull request is planned"):
        page = story.propose("add-server")
        story.stands(page, "staging")

    with story.step("Bob locks staging in Slack, with a reason that everybody sees"):
        answer = story.slash("bob", "lock staging load test until noon")
        story.reads(answer, "locked by", "load test until noon", "/infra unlock staging")
        story.sees(
            "the status comment names owner and reason",
            lambda: all(word in page.row("staging")["State"] for word in ("@bob", "load test until noon")),
            lambda: page.status,
        )

    with story.step("Ann's /apply is refused: by whom, why, and the way out"):
        story.reacts(page, story.say(page, "/apply staging"), "👎")
        answer = story.sees("an answer", lambda: page.reply("staging is locked by"))
        story.reads(answer, "bob", "load test until noon", "/unlock staging", "waiting list")

    with story.step("Ann (write) cannot unlock what Bob holds"):
        story.reacts(page, story.say(page, "/unlock staging"), "👎")
        answer = story.sees("an answer", lambda: page.reply("to unlock what others hold"))
        story.reads(answer, "maintain", "write", "bob")

    with story.step("Bob unlocks it; Ann gets a fresh plan and is told. Nothing was applied"):
        old = page.check("staging")["url"]
        story.reads(story.slash("bob", "unlock staging"), "free again", f"#{page.number} waited")
        story.sees("ann is told", lambda: page.reply("staging is free", "ann"), lambda: page.replies)
        story.sees("a fresh plan stands", lambda: page.replanned("staging", old), lambda: page.status)
        story.check("the cloud is empty", true=not story.things("staging"), seen=story.things("staging"))

    _queue(story, page)


def _queue(story: Story, page: PullPage) -> None:
    with story.step("Ann has read it and applies; staging is claimed by her pull request"):
        story.reacts(page, story.say(page, "/apply staging"), "🚀")
        servers = story.things("staging")
        story.check("web and api are there", true=len(servers) == 2, seen=servers)

    with story.step("Carol's pull request comes behind it: refused, and put on the waiting list"):
        other = story.propose("more-nodes", author="carol")
        story.sees(
            "staging is planned", lambda: other.row("staging")["Plan"] not in ("", "–"), lambda: other.status
        )
        story.reacts(other, story.say(other, "/apply staging", author="carol"), "👎")
        answer = story.sees("an answer", lambda: other.reply("staging is locked by"))
        story.reads(answer, f"#{page.number}", "ann", f"#{other.number} is on the waiting list")
        story.sees(
            "the status comment says that she waits",
            lambda: f"waits: #{other.number}" in other.row("staging")["State"],
            lambda: other.status,
        )

    with story.step("Ann's is merged; Carol is told, gets a fresh plan, and nothing is applied unread"):
        old = other.check("staging")["url"]
        story.merge(page, actor="ann")
        story.sees(
            "its comment keeps what was applied, without the lock",
            lambda: (
                page.row("staging")["State"].startswith("✅ applied")
                and "🔒" not in page.row("staging")["State"]
            ),
            lambda: page.status,
        )
        story.sees("carol is told", lambda: other.reply("staging is free", "carol"), lambda: other.replies)
        story.sees(
            "a fresh plan stands, and what it lacks is told",
            lambda: (
                other.check("staging")["url"] != old
                and other.check("staging")["status"] == "completed"
                and "has moved on" in other.row("staging")["State"]
            ),
            lambda: other.status,
        )
        story.check("the cloud is as Ann left it", true=story.things("staging") == servers, seen=servers)

    with story.step("Her branch lacks what was merged: a plan that would undo it is not applied"):
        story.reacts(other, story.say(other, "/apply staging", author="carol"), "👎")
        story.reads(story.sees("an answer", lambda: other.reply("has moved on")), "infra/servers.tf", "main")

    with story.step("Carol rebases and pushes; the plan that comes of it is applied"):
        _rebase(story, other, "more-nodes")
        story.stands(other, "staging")
        story.check("one change", true=other.row("staging")["Plan"] == "+0 ~1 -0", seen=other.status)
        story.reacts(other, story.say(other, "/apply staging", author="carol"), "🚀")
        nodes = [one["nodes"] for one in story.world.clouds["staging"].things("cluster").values()]
        story.check(
            "a node more, and Ann's servers",
            true=nodes == [3] and story.things("staging") == servers,
            seen=nodes,
        )


def _rebase(story: Story, page: PullPage, change: str) -> None:
    """The same change on top of main, pushed by force."""
    draft = f"{page.author}/rebased"
    commit = story.world.github.commit_files(
        REPOSITORY, draft, sample.change(change), author=page.author, message=change
    )
    story.narrator.said(page.author, f"#{page.number}", f"rebases onto main and pushes {commit[:7]}")
    story.world.github.move_branch(REPOSITORY, page.branch, commit, actor=page.author)
