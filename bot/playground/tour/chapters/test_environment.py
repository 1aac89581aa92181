"""A pull request's own environment: created, opened, put to sleep, extended, and destroyed after the merge."""

from __future__ import annotations

import httpx

from bot.playground.tour.production_steps import change_policy
from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story
from bot.playground.world import REPOSITORY

TTL = 'ttl = "72h"'
SLEEP = 'sleep = { after = "2h", var_files = ["envs/asleep.tfvars"] }'


@chapter("test-environment", "a pull request has its own environment until it is merged", order=25)
def test_environment(story: Story) -> None:
    with story.step("The policy says what sleeping means for test: no cluster nodes"):
        story.world.github.commit_files(
            REPOSITORY,
            "main",
            {"envs/asleep.tfvars": b"nodes = 0\n"},
            author="carol",
            message="say what sleeps",
        )
        change_policy(story, "let test sleep", (TTL, f"{TTL}\n{SLEEP}"))

    with story.step("Ann opens a pull request, and its own environment is created"):
        page = story.propose("add-server")
        _wait_for_state(story, page, "applied", "last used", "sleeps", "kept until")
        servers = story.resources("test")
        expected = {f"test-pr-{page.number}-{name}" for name in ("web", "api")}
        story.check("named after the pull request", true=set(servers) == expected, seen=servers)

    with story.step("Its address opens, and GitHub has a deployment with it"):
        (deployment,) = page.deployments(f"test (pr-{page.number})")
        url = story.wait_for("an address", lambda: _address(page), page.deployments)
        shown = httpx.get(url, trust_env=False)
        story.check("it answers", true=shown.status_code == 200, seen=shown.text)
        story.check_text(shown.text, f"test-pr-{page.number}-api")
        story.check("a deployment", true=bool(deployment), seen=deployment)

    with story.step("Ann extends it, puts it to sleep, and wakes it"):
        story.wait_for_reactions(page, story.comment(page, "/test extend"), "👍")
        story.check_text(story.wait_for("an answer", lambda: page.reply("stays until")), "UTC")
        story.wait_for_reactions(page, story.comment(page, "/test sleep"), "👍")
        _wait_for_state(story, page, "💤 asleep")
        story.check("no nodes", true=_nodes(story) == [0], seen=_nodes(story))
        story.wait_for_reactions(page, story.comment(page, "/test wake"), "👍")
        story.wait_for("one node again", lambda: _nodes(story) == [1], lambda: _nodes(story))

    with story.step("A push updates it"):
        story.push(page, "drop-dns")
        story.wait_for(
            "the record is gone", lambda: not story.resources("test", "dns_record"), lambda: page.status
        )

    with story.step("It is merged, and nothing of it is left"):
        story.merge(page, actor="carol")
        story.wait_for("no server", lambda: not story.resources("test"), lambda: page.status)
        _wait_for_state(story, page, "destroyed", "merged")
        gone = httpx.get(url, trust_env=False)
        story.check("the address is gone", true=gone.status_code == 404, seen=gone.text)
        story.wait_for(
            "the deployment is inactive",
            lambda: page.deployments(f"test (pr-{page.number})")[-1]["states"][-1]["state"] == "inactive",
            page.deployments,
        )


def _wait_for_state(story: Story, page: PullPage, *words: str) -> None:
    story.wait_for(
        f"test: {', '.join(words)}",
        lambda: all(word in page.row("test")["State"] for word in words),
        lambda: page.status,
    )


def _address(page: PullPage) -> str:
    """Return the address in the newest state of the test deployment."""
    states = page.deployments(f"test (pr-{page.number})")[-1]["states"]
    return str(states[-1]["environment_url"]) if states else ""


def _nodes(story: Story) -> list[object]:
    return [one["nodes"] for one in story.world.clouds["test"].things("cluster").values()]
