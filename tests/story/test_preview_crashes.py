"""The bot killed (-9), or its runs cancelled, at each step of an instance's life: in the end everything of it is destroyed,
nothing was applied twice, and people read what happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bot.playground.world import World, until
from tests.fixtures.world import MakeWorld
from tests.story.holds import Holds
from tests.story.kills import Kills, Point
from tests.story.test_previews import Previews, with_policy

VERIFY = """[stack.infra]
root = "infra"
[env.ci]
on_pull_request = "verify"
instance = "pr-{pr}"
smoke = [{ command = ["sh", "-c", "echo >> MARKS/checked; while [ -e MARKS/checking ]; do sleep 0.05; done"], timeout = "1m" }]
"""
TEST = """[stack.infra]
root = "infra"
[env.test]
on_pull_request = "apply"
instance = "pr-{pr}"
"""
SLOW = """resource "terraform_data" "slow" {
  input = "COMMIT"
  provisioner "local-exec" {
    command = "echo COMMIT >> 'MARKS/made'; while [ -e 'MARKS/creating' ]; do sleep 0.05; done"
  }
  provisioner "local-exec" {
    when    = destroy
    command = "echo COMMIT >> 'MARKS/gone'; while [ -e 'MARKS/destroying' ]; do sleep 0.05; done"
  }
}
"""
VERIFIED: list[Point] = [
    ("after", r"UPDATE runs SET phase=.*'planning'"),
    ("after", r"INSERT INTO plans "),  # nobody was asked to apply it yet
    ("after", r"INSERT INTO runs .*'apply'"),
    ("before", r"UPDATE plans SET status=.*'applying'"),
    ("before", r"UPDATE runs SET phase=.*'recording'"),  # Terraform has ended
    ("after", r"INSERT INTO releases "),
    ("before", r"UPDATE releases SET verification="),
    ("after", r"UPDATE runs SET phase=.*'applied'"),  # the instance does not know yet
]
DESTROYED: list[Point] = [
    ("after", r"INSERT INTO runs .*'destroy'"),
    ("after", r"UPDATE runs SET phase=.*'preparing'"),
    ("before", r"UPDATE runs SET phase=.*'applying'"),
    ("before", r"UPDATE runs SET phase=.*'destroyed'"),  # Terraform has ended
    ("after", r"UPDATE runs SET phase=.*'destroyed'"),  # the instance does not know yet
]


class Doomed(Previews):
    """Its Terraform notes what it makes and destroys, and waits in the middle of either for as long as a test wants."""

    def __init__(self, world: World, holds: Holds, policy: str, kills: Kills | None = None) -> None:
        self.kills = kills
        self._commits = 0
        policy = policy.replace("MARKS", str(holds.directory))
        files = {"infra/main.tf": b"", "envs/environments.toml": policy.encode()}
        super().__init__(world, "acme/doomed", {**with_policy(policy), **files}, holds=holds)

    def changes(self, number: int = 0) -> int:
        """A pull request, or another commit in it: it makes one thing."""
        self._commits += 1
        text = SLOW.replace("MARKS", str(self.holds.directory)).replace("COMMIT", f"c{self._commits}")
        files = {"infra/slow.tf": text.encode()}
        if not number:
            return self.propose(files)
        self.push(files, self.branch(number))
        return number

    def noted(self, what: str) -> list[str]:
        """Which commits' things were `made`, `gone` or `checked`, in that order."""
        path: Path = self.holds.directory / what
        return path.read_text().split() if path.exists() else []

    def killed_at(self, points: Sequence[Point], act: Callable[[], int]) -> int:
        """What `act` causes is done by a bot that dies at each of these points, in their order; what `act` returned."""
        assert self.kills is not None
        self.kills.at(*points[0])
        found = act()
        for point, following in zip(points, [*points[1:], None], strict=True):
            self.kills.await_death(self.world, f"{point}")
            if following:
                self.kills.at(*following)
            self.world.bot.start()
        return found

    def killed_during(self, command: str, times: int) -> None:
        """Killed while Terraform has begun `command` (for the nth time) and done nothing yet."""
        self.holds.await_call(command, times)
        self.world.bot.kill()
        self.holds.release(command)
        self.world.bot.start()

    def is_gone(self, number: int, environment: str, conclusion: str = "") -> None:
        """The instance is destroyed, and nothing of it was applied twice."""
        self.becomes(number, "gone", environment)
        assert self.resources(number, environment) == 0
        assert len(self.noted("made")) == len(set(self.noted("made"))), "something was made twice"
        if conclusion:
            name = f"towpath/{environment}"
            until(lambda: self.concluded(number, name) == conclusion, what=f"{name} to be {conclusion}")
            self.is_sound()


@pytest.fixture
def doomed(make_world: MakeWorld, holds: Holds, tmp_path: Path) -> Doomed:
    kills = Kills(tmp_path)
    return Doomed(make_world(settings=kills.settings), holds, VERIFY, kills)


@pytest.mark.timeout(600)
@pytest.mark.long
def test_a_verification_that_is_killed_at_each_step(doomed: Doomed) -> None:
    """First at each thing that it writes down; then, commit by commit, in the middle of Terraform and of the checks."""
    number = doomed.killed_at([*VERIFIED, *DESTROYED], doomed.changes)
    doomed.is_gone(number, "ci", "success")
    assert [run.outcome for run in doomed.runs("apply")] == ["applied"]
    assert doomed.noted("made") == doomed.noted("gone") == ["c1"]
    doomed.sees(number, "verified, then destroyed")

    holds, bot = doomed.holds, doomed.world.bot
    for command in ("plan", "apply"):
        holds.hold(command)
    plans, applies = len(holds.calls("plan")), len(holds.calls("apply"))
    doomed.changes(number)
    doomed.killed_during("plan", plans + 1)
    doomed.killed_during("apply", applies + 1)
    doomed.is_gone(number, "ci", "failure")
    assert doomed.runs("apply")[-1].outcome == "interrupted"
    assert "c2" not in doomed.noted("made"), "what was interrupted is not repeated"
    doomed.sees(number, "apply interrupted")

    holds.hold("creating")
    doomed.changes(number)
    until(lambda: "c3" in doomed.noted("made"), what="the middle of the apply")
    bot.kill()
    bot.start()
    holds.release("creating")
    doomed.is_gone(number, "ci", "failure")
    assert doomed.runs("apply")[-1].outcome == "interrupted"

    checked = len((holds.directory / "checked").read_text())
    holds.hold("checking")
    doomed.changes(number)
    until(lambda: len((holds.directory / "checked").read_text()) > checked, what="a smoke check")
    bot.kill()
    holds.release("checking")
    holds.hold("destroying")
    bot.start()
    until(lambda: "c4" in doomed.noted("gone"), what="the middle of the destroy")
    bot.kill()
    bot.start()
    holds.release("destroying")
    doomed.is_gone(number, "ci", "success")
    assert doomed.noted("made") == ["c1", "c3", "c4"]


def test_a_verification_that_people_cancel(world: World, holds: Holds) -> None:
    """During the apply, and during its smoke checks: what was made is destroyed, and the check says that it was stopped."""
    doomed = Doomed(world, holds, VERIFY)
    holds.hold("creating")
    number = doomed.changes()
    until(lambda: doomed.noted("made"), what="the middle of the apply")
    doomed.accepted(number, "/cancel", "Stopping the apply")
    doomed.ended("apply", "cancelled")
    holds.release("creating")
    doomed.is_gone(number, "ci", "cancelled")
    assert [run.outcome for run in doomed.runs("destroy")] == ["destroyed"]

    holds.hold("checking")
    doomed.changes(number)
    until((holds.directory / "checked").exists, what="a smoke check")
    doomed.accepted(number, "/cancel", "Stopping the apply")
    doomed.is_gone(number, "ci", "failure")
    run = doomed.runs("apply")[-1]
    assert run.outcome == "applied"
    assert "cancelled" in run.message
    doomed.sees(number, "smoke checks failed; destroyed")


@pytest.mark.timeout(300)
def test_a_destroy_after_the_merge_that_is_killed_at_each_step(
    make_world: MakeWorld, holds: Holds, tmp_path: Path
) -> None:
    """At each thing that it writes down, while it plans, and while it destroys."""
    kills = Kills(tmp_path)
    doomed = Doomed(make_world(settings=kills.settings), holds, TEST, kills)
    number = doomed.changes()
    doomed.becomes(number, "up")

    def merge() -> int:
        doomed.merge(number)
        return number

    plans = len(holds.calls("plan"))
    holds.hold("plan")
    holds.hold("destroying")
    doomed.killed_at(DESTROYED[:2], merge)
    doomed.killed_during("plan", plans + 1)
    until(lambda: doomed.noted("gone"), what="the middle of the destroy")
    kills.at(*DESTROYED[3])
    doomed.world.bot.kill()
    holds.release("destroying")
    doomed.killed_at([DESTROYED[3]], lambda: doomed.world.bot.start() and 0)
    doomed.is_gone(number, "test")
    assert [run.outcome for run in doomed.runs("destroy")][-1] == "destroyed"
    doomed.sees(number, "destroyed")
