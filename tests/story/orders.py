"""A repository with two stacks: `network`, and `app`, which comes after it and gets its `vpc_id`."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.run import Run
from bot.domain.target import Target
from bot.playground.world import World, until
from tests.story.holds import Holds
from tests.story.story import Story

NETWORK = """resource "terraform_data" "vpc" {
  input = "NAME"
}
output "vpc_id" {
  value = terraform_data.vpc.output
}
"""
APP = """variable "vpc_id" {
  type = string
}
resource "terraform_data" "app" {
  input = "SIZE in ${var.vpc_id}"
}
"""
POLICY = """[stack.app]
root = "app"
after = ["network"]
inputs = { vpc_id = "network.vpc_id" }
[stack.network]
root = "network"
[env.staging]
"""


def network(name: str) -> dict[str, str]:
    return {"network/main.tf": NETWORK.replace("NAME", name)}


def app(size: str) -> dict[str, str]:
    return {"app/main.tf": APP.replace("SIZE", size)}


FILES: Mapping[str, bytes] = {
    path: text.encode()
    for path, text in {**network("vpc-0"), **app("small"), "envs/environments.toml": POLICY}.items()
}


class Order(Story):
    def __init__(self, world: World, holds: Holds) -> None:
        super().__init__(world, "acme/order", FILES, holds=holds)

    def of(self, stack: str, number: int = 0, kind: str = "") -> list[Run]:
        """The runs of a stack, oldest first."""
        return [run for run in self.runs(kind, number) if run.target.stack == stack]

    def newest(self, stack: str, number: int, kind: str, *outcomes: str, count: int = 1) -> Run:
        """The newest run of a kind, once there are `count` of them and all have ended; it must have ended so."""
        runs = until(
            lambda: found if len(found := self.of(stack, number, kind)) >= count and not any(
                run.active for run in found) else None,
            what=f"{count} times {kind} of {stack} in #{number}: {self.runs()}",
        )  # fmt: skip
        assert runs[-1].outcome in outcomes, (runs[-1], self.world.bot.tail(20))
        return runs[-1]

    def ready(self, stack: str, number: int) -> None:
        """Until the newest plan of the stack is shown."""
        target = Target(self.repository, stack, "staging")

        def shown() -> bool:
            with self.tables() as tables:
                plan = tables.plans.newest(target, number)
            busy = any(run.active for run in self.of(stack, number))
            return plan is not None and plan.status == "fresh" and plan.published_at is not None and not busy

        until(shown, what=f"a plan of {stack} in #{number} that is shown")

    def state(self, stack: str) -> str:
        """The recorded state of a stack, as text."""
        with self.tables() as tables:
            current = tables.states.current(Target(self.repository, stack, "staging").key)
        return current[1].decode() if current else ""

    def both_applied(self, vpc: str = "vpc-1") -> int:
        """A pull request that sets up both stacks: its number once both are applied."""
        number = self.propose({**network(vpc), **app("large")})
        self.ready("network", number)
        self.newest("app", number, "plan", "refused")
        self.reacted(number, self.say(number, "/apply staging"), "rocket")
        self.ready("app", number)
        self.reacted(number, self.say(number, "/apply staging"), "rocket")
        return number
