"""A pull request from a fork."""

from __future__ import annotations

from bot.playground.world import REPOSITORY, World
from tests.fixtures.world import MakeWorld
from tests.story.holds import Holds
from tests.story.story import Story

LEAK = """variable "token" {
  default = "nothing to see"
}
resource "terraform_data" "web" {
  input = "it is ${var.token}"
}
"""


def test_from_outside(make_world: MakeWorld, holds: Holds) -> None:
    """dave's fork is not planned by itself; after ann's `/plan` it is, without secrets; it is never applied."""
    world: World = make_world(settings={"STAGING_TF_VAR_token": "the-secret-of-staging"})
    story = Story(world, holds=holds)
    github = story.github
    fork = github.fork(REPOSITORY, "dave")
    github.commit_files(fork, "mine", {"infra/main.tf": LEAK}, author="dave", message="Mine")
    number = github.open_pull(REPOSITORY, author="dave", head="mine", title="Mine", fork=fork)
    story.sees(number, "not planned until somebody with the `write` role")
    assert story.runs() == []
    story.reacted(number, story.say(number, "/plan", "dave"), "-1")
    assert story.runs() == []
    story.reacted(number, story.say(number, "/plan", "ann"), "+1")
    story.sees(number, "nothing to see")
    assert "the-secret-of-staging" not in story.status(number)
    story.reacted(number, story.say(number, "/apply staging", "ann"), "-1")
    story.is_told(number, "from forks cannot be applied")
    assert story.runs("apply") == []
    github.commit_files(fork, "mine", {"infra/main.tf": LEAK + "\n"}, author="dave", message="More")
    github.webhooks.drain()
    story.sees(number, "not planned until")
    story.is_sound()
    assert len(story.runs()) == 1
