"""Environments that should be alike are compared, and a pull request that makes them differ says so."""

from __future__ import annotations

from bot.domain.policy import PATH
from bot.playground import sample
from bot.playground.tour.pull_page import PullPage
from bot.playground.tour.registry import chapter
from bot.playground.tour.story import Story
from bot.playground.world import REPOSITORY

DECLARATION = """
[[parity]]
environments = ["staging", "prod"]
differences = [{ what = "var.nodes", reason = "prod serves real users" }]
"""
BRANCH = "ann/move-region"


@chapter("parity", "environments that should be alike are compared, and new differences are shown", order=165)
def parity(story: Story) -> None:
    with story.step("Ann moves staging to another region, forgets prod, and sees that they differ now"):
        _commit(story, "ann", BRANCH, _moved(story, "staging"), "move staging to eu-2")
        number = story.world.github.open_pull(REPOSITORY, author="ann", head=BRANCH, title="Move to eu-2")
        page = PullPage(story.world, number, "ann", BRANCH)
        story.wait_for(
            "the status comment says it",
            lambda: "makes staging and prod differ" in page.status,
            lambda: page.status,
        )
        story.check_text(
            page.status, "`var.region`", "envs/staging.tfvars line 2", "envs/prod.tfvars line 2", "[[parity]]"
        )
        story.check("older differences are left out", true="var.nodes" not in page.status, seen=page.status)

    with story.step("She moves prod too, and the note is gone"):
        _commit(story, "ann", BRANCH, _moved(story, "prod"), "move prod to eu-2, too")
        story.wait_for(
            "a status comment without the note",
            lambda: page.head[:7] in page.status and "differ" not in page.status,
            lambda: page.status,
        )

    with story.step("/parity lists the difference that was there before, and how to declare it"):
        answer = story.slash("ann", f"parity #{number}")
        story.check_text(
            answer,
            "`var.base_url`: ",
            "staging ≈ prod*: 1 undeclared difference",
            "`var.nodes`: `2` in staging (envs/staging.tfvars line 3), `3` in prod (envs/prod.tfvars line 3)",
            '{ what = "var.nodes", reason = "…" }',
        )

    with story.step("Carol declares it with a reason"):
        text = sample.files()[PATH].decode() + DECLARATION
        _commit(story, "carol", "main", {PATH: text}, "declare how staging and prod differ")
        answer = story.slash("ann", "parity staging")
        story.check_text(answer, "staging ≈ prod*: no undeclared differences", "1 declared difference")


def _moved(story: Story, environment: str) -> dict[str, bytes]:
    """Return the environment's var file with another region."""
    path = f"envs/{environment}.tfvars"
    files = sample.files({environment: story.world.service.address(environment)})
    return {path: files[path].replace(b'"eu-1"', b'"eu-2"')}


def _commit(
    story: Story, author: str, branch: str, files: dict[str, bytes] | dict[str, str], message: str
) -> None:
    story.narrator.action(author, branch, f"commits: {message}")
    story.world.github.commit_files(REPOSITORY, branch, dict(files), author=author, message=message)
