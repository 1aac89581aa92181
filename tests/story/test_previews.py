"""Instances of pull requests: made, verified, put to sleep, and destroyed whatever happens."""

from __future__ import annotations

from bot.domain.previews import Instance
from bot.playground.world import World, until
from tests.story.holds import Holds
from tests.story.story import FILES, Story

POLICY = """[stack.infra]
root = "infra"
[env.test]
on_pull_request = "apply"
instance = "pr-{pr}"
url = "https://pr-{pr}.test.example.com"
ttl = "72h"
sleep = { after = "2h", var_files = ["envs/asleep.tfvars"] }
"""
MAIN = b"""variable "size" {
  default = "small"
}
variable "towpath_instance" {
  default = ""
}
resource "terraform_data" "web" {
  input = "${var.towpath_instance} ${var.size}"
}
resource "terraform_data" "more" {
  count = var.size == "asleep" ? 0 : 1
}
"""
INFRA = {**FILES, "infra/main.tf": MAIN, "envs/asleep.tfvars": b'size = "asleep"\n'}


def with_policy(policy: str) -> dict[str, bytes]:
    return {**INFRA, "envs/environments.toml": policy.encode()}


class Previews(Story):
    """A story about the instances of pull requests."""

    def change(self) -> int:
        return self.propose({"infra/change.tf": b'resource "terraform_data" "change" {}\n'})

    def instance(self, number: int, environment: str = "test") -> Instance | None:
        with self.tables() as tables:
            return tables.instances.get(self.target(environment, f"pr-{number}"))

    def resources(self, number: int, environment: str = "test") -> int:
        with self.tables() as tables:
            newest = tables.states.newest(self.target(environment, f"pr-{number}").key)
        return newest.resources if newest else 0

    def becomes(self, number: int, state: str, environment: str = "test") -> Instance:
        def look() -> Instance | None:
            found = self.instance(number, environment)
            return found if found is not None and found.state == state else None

        try:
            found = until(look, what=f"the instance of #{number} to be {state}")
        except AssertionError as error:
            raise AssertionError(
                f"{error}\n{self.instance(number, environment)}\n{self.runs()}\n{self.world.bot.tail(40)}"
            ) from None
        assert found is not None
        return found

    def accepted(self, number: int, text: str, answer: str) -> str:
        """A command, up to its good answer."""
        self.reacted(number, self.say(number, text), "+1")
        return self.is_told(number, answer)

    def merge(self, number: int) -> None:
        self.github.merge_pull(self.repository, number, actor="ann")


def test_an_instance_lives_as_long_as_its_pull_request(world: World, holds: Holds) -> None:
    story = Previews(world, files=with_policy(POLICY), holds=holds)
    number = story.change()
    story.becomes(number, "up")
    assert story.resources(number) == 3
    story.sees(number, f"https://pr-{number}.test.example.com")
    story.sees(number, "destroyed")

    story.accepted(number, "/test sleep", "put to sleep")
    story.becomes(number, "asleep")
    assert story.resources(number) == 2, "the overlay removed one"
    story.accepted(number, "/test wake", "brought up")
    story.becomes(number, "up")
    assert story.resources(number) == 3

    story.accepted(number, "/test down", "is being destroyed")
    story.becomes(number, "gone")
    assert story.resources(number) == 0
    story.accepted(number, "/test up", "brought up")
    story.becomes(number, "up")

    story.github.close_pull(story.repository, number, actor="ann")
    gone = story.becomes(number, "gone")
    assert gone.why == "closed"
    assert story.resources(number) == 0
