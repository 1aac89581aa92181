"""After a merge, main is compared with staging, or applied there and, after an approval, to production."""

from __future__ import annotations

from bot.playground.github.records import Issue
from bot.playground.tour.production_steps import apply_to_staging, change_policy
from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story
from bot.playground.tour.text import slack_text
from bot.playground.tour.updates import Updates
from bot.playground.world import CHANNEL, REPOSITORY

FULL = "507: no capacity left for a larger server"
POLICY = (
    ('on_merge = "sync"', 'on_merge = "apply"'),
    ('promote_from = "staging"', 'promote_from = "staging"\non_merge = "apply"'),
    ('soak = "3s"', 'soak = "1s"'),
)


@chapter("merge-sync", "after a merge, main is compared with staging, or applied", order=164)
def merge_sync(story: Story) -> None:
    with story.step("Ann's change is on staging when Bob merges it as a squash, so there is nothing to do"):
        page = story.propose("more-nodes")
        apply_to_staging(story, page)
        merged = story.merge(page, actor="bob", method="squash")
        _wait_for_row(story, page, "staging", f"✅ in sync with main at {merged[:7]}")

    with story.step(
        "Carol merges a change that nobody applied: her pull request and Slack say what differs, once"
    ):
        page = story.propose("drop-dns", author="carol")
        story.wait_for_plan(page, "staging")
        merged = story.merge(page, actor="carol")
        _wait_for_row(story, page, "staging", f"⚠️ differs from main at {merged[:7]}", "/apply staging")
        story.wait_for("Slack is notified", lambda: _reports(story) == 1, lambda: _reports(story))
        record = story.resources("staging", "dns_record")
        story.check("nothing was applied", true=len(record) == 1, seen=record)

    with story.step("She applies main's plan from the merged pull request"):
        story.wait_for_reactions(page, story.comment(page, "/apply staging", author="carol"), "🚀")
        _wait_for_row(story, page, "staging", f"✅ applied main at {merged[:7]}")
        story.check("the record is gone", true=not story.resources("staging", "dns_record"))

    with story.step('Carol turns on on_merge = "apply" for staging and production'):
        change_policy(story, "apply after a merge", *POLICY)

    page = _failed(story)
    _fixed(story, page)
    _production(story, page)


def _failed(story: Story) -> PullPage:
    with story.step("Ann's change is merged by a rebase, and the cloud refuses it: one issue says so"):
        page = story.propose("bigger-web")
        story.wait_for_plan(page, "staging")
        story.world.clouds["staging"].faults(
            {"update:playground_server.staging-web": {"error": FULL, "times": 1}}
        )
        merged = story.merge(page, actor="bob", method="rebase")
        _wait_for_row(story, page, "staging", f"❌ main at {merged[:7]} was not applied", "/plan staging")
        one = _issue(story, "open")
        story.check_text(f"{one.title}\n{one.body}", "staging", FULL, merged[:7], "/plan staging")
        story.check("there is only one issue", true=len(_issues(story)) == 1, seen=_issues(story))
    return page


def _fixed(story: Story, page: PullPage) -> None:
    with story.step(
        "She plans main again; it is what she planned before the merge, so it is applied by itself"
    ):
        story.comment(page, "/plan staging")
        _wait_for_row(story, page, "staging", "✅ applied main at")
        sizes = [one["size"] for one in story.world.clouds["staging"].things("server").values()]
        story.check("the server is larger", true=sizes == ["m"], seen=sizes)

    with story.step("The issue is closed, with a comment"):
        one = _issue(story, "closed")
        comments = story.world.github.comments_on(REPOSITORY, one.number)
        story.check("one comment", true=len(comments) == 1, seen=comments)
        story.check_text(comments[0], "staging is in sync again")


def _production(story: Story, page: PullPage) -> None:
    with story.step("Production takes what staging has verified, after an approval of main's plan"):
        _wait_for_row(story, page, "prod", "waiting for approval", "/approve prod")
        servers = story.resources("prod")
        story.check("nothing was applied to production yet", true=not servers, seen=servers)
        story.wait_for_reactions(page, story.comment(page, "/approve prod", author="bob"), "👍")
        _wait_for_row(story, page, "prod", "✅ applied main at")
        story.check("the server exists", true=len(story.resources("prod")) == 1)


def _wait_for_row(story: Story, page: PullPage, environment: str, state: str, step: str = "") -> None:
    story.wait_for(
        f"{environment}: {state}",
        lambda: (
            state in page.row(environment)["State"] and (not step or page.row(environment)["Next"] == step)
        ),
        lambda: page.status,
    )


def _issue(story: Story, state: str) -> Issue:
    found = story.wait_for(
        f"the issue is {state}",
        lambda: [one for one in story.world.github.issues(REPOSITORY) if one.state == state],
        lambda: _issues(story),
    )
    return found[0]


def _issues(story: Story) -> list[str]:
    return [f"#{one.number} {one.state}: {one.title}" for one in story.world.github.issues(REPOSITORY)]


def _reports(story: Story) -> int:
    """Return how many messages in threads of Slack's channel say that staging differs."""
    slack = story.world.slack
    cards = [one for one in slack.messages(CHANNEL) if Updates.kind(one) == "card"]
    replies = [reply for card in cards for reply in slack.thread(CHANNEL, card.ts)[1:]]
    return sum("differs from" in slack_text(one) for one in replies)
