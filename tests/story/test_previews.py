"""Instances of pull requests: made, verified, put to sleep, and destroyed whatever happens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from bot.domain.ports.store import Tables
from bot.domain.previews import Instance
from bot.domain.states import StateInfo
from bot.playground.world import World, until
from tests.story.holds import Holds
from tests.story.shared import SharedWorld
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


BROKEN = b"""resource "terraform_data" "made" {}
resource "terraform_data" "broken" {
  depends_on = [terraform_data.made]
  provisioner "local-exec" {
    command = "exit 3"
  }
}
"""


class Previews(Story):
    """A story about the instances of pull requests."""

    changes_made = 0

    def change(self) -> int:
        """A pull request. Two of one second with one content would have one commit, which the first merge contains."""
        self.changes_made += 1
        text = f'resource "terraform_data" "change" {{\n  input = {self.changes_made}\n}}\n'
        return self.propose({"infra/change.tf": text})

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

    def refused(self, number: int, text: str, answer: str) -> str:
        """A command, up to its refusal."""
        self.reacted(number, self.say(number, text), "-1")
        return self.is_told(number, answer)

    def branch(self, number: int) -> str:
        return self.github.state.pull(self.github.state.repo(self.repository), number).head_ref

    def concluded(self, number: int, check: str) -> str:
        """The conclusion of a check on the latest commit, once it has one."""

        def look() -> str:
            found = self.github.checks_on(self.repository, self.head(number)).get(check)
            return (found[1] or "") if found else ""

        return until(look, what=f"a conclusion of {check}")

    @contextmanager
    def writing(self) -> Iterator[Tables]:
        """The bot's database, to write."""
        assert isinstance(self.world, SharedWorld)
        with self.world.database.begin() as tables:
            yield tables

    def merge(self, number: int) -> None:
        self.github.merge_pull(self.repository, number, actor="ann")


def test_an_instance_lives_as_long_as_its_pull_request(world: World, holds: Holds) -> None:
    story = Previews(world, files=with_policy(POLICY), holds=holds)
    number = story.change()
    story.becomes(number, "up")
    assert story.resources(number) == 3
    story.sees(number, f"https://pr-{number}.test.example.com")
    story.sees(number, "kept until")

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


VERIFY = """[stack.infra]
root = "infra"
[env.ci]
on_pull_request = "verify"
instance = "pr-{pr}"
smoke = [{ command = "test RESULT = passed", within = "1s", every = "1s" }]
"""


def test_ci_verifies_and_destroys(world: World, holds: Holds) -> None:
    """Applied, checked, destroyed; the check says whether the smoke checks passed, and waits for the end."""
    story = Previews(world, files=with_policy(VERIFY.replace("RESULT", "passed")), holds=holds)
    number = story.change()
    gone = story.becomes(number, "gone", "ci")
    assert gone.why == "verified"
    assert story.resources(number, "ci") == 0
    story.sees(number, "verified, then destroyed")
    assert story.concluded(number, "towpath/ci") == "success"
    assert [run.outcome for run in story.runs("destroy")] == ["destroyed"]

    story.push({"infra/change.tf": BROKEN}, story.branch(number))
    until(lambda: story.runs("apply")[-1].outcome == "failed", what="a failed apply")
    story.becomes(number, "gone", "ci")
    assert story.resources(number, "ci") == 0, "what the failed apply had made is destroyed, too"
    assert story.concluded(number, "towpath/ci") == "failure"


def test_ci_fails_where_a_smoke_check_fails(world: World, holds: Holds) -> None:
    story = Previews(world, files=with_policy(VERIFY.replace("RESULT", "failed")), holds=holds)
    number = story.change()
    story.becomes(number, "gone", "ci")
    story.sees(number, "smoke checks failed; destroyed")
    assert story.concluded(number, "towpath/ci") == "failure"


def test_a_cap_names_the_oldest_and_makes_room_later(world: World, holds: Holds) -> None:
    story = Previews(world, files=with_policy(POLICY + "cap = 1\n"), holds=holds)
    first = story.change()
    story.becomes(first, "up")
    second = story.change()
    story.sees(second, "the oldest is that of #")
    assert story.becomes(second, "pending").commit == ""
    story.refused(second, "/apply test", "1 of the 1 instances that `cap` allows")
    story.merge(first)
    assert story.becomes(first, "gone").why == "merged"
    story.becomes(second, "up")


def test_a_close_during_an_update_stops_it_and_destroys(world: World, holds: Holds) -> None:
    story = Previews(world, files=with_policy(POLICY), holds=holds)
    number = story.change()
    story.becomes(number, "up")
    holds.hold("apply")
    story.push({"infra/change.tf": b'resource "terraform_data" "other" {}\n'}, story.branch(number))
    holds.await_call("apply", 2)
    story.github.close_pull(story.repository, number, actor="ann")
    until(lambda: story.runs("destroy"), what="a destroy that waits")
    holds.release("apply")
    story.becomes(number, "gone")
    assert story.resources(number) == 0


def test_what_the_branch_says_does_not_decide(world: World, holds: Holds) -> None:
    """The environment is gone from the policy, and the branch has none of it: the recorded policy destroys it."""
    story = Previews(world, files=with_policy(POLICY), holds=holds)
    number = story.change()
    story.becomes(number, "up")
    without = '[stack.infra]\nroot = "infra"\n[env.staging]\n'
    story.push({"envs/environments.toml": without}, "main", author="carol")
    story.github.close_pull(story.repository, number, actor="ann")
    story.becomes(number, "gone")
    assert story.resources(number) == 0


def test_a_label_decides_which_pull_requests_get_one(world: World, holds: Holds) -> None:
    story = Previews(world, files=with_policy(POLICY + 'label = "preview"\n'), holds=holds)
    number = story.change()
    story.sees(number, "`/apply test`")
    assert story.instance(number) is None
    story.github.label_pull(story.repository, number, actor="ann", label="Preview")
    story.becomes(number, "up")


def test_a_close_that_nobody_tells_and_a_state_made_by_hand(world: World, holds: Holds) -> None:
    """What has a state and no record is found and destroyed, though the branch was never planned for it."""
    story = Previews(world, files=with_policy(POLICY.replace('"apply"', '""')), holds=holds)
    number = story.change()
    state = {
        "version": 4,
        "serial": 1,
        "lineage": "by-hand",
        "terraform_version": "1.11.0",
        "outputs": {},
        "resources": [
            {
                "mode": "managed",
                "type": "terraform_data",
                "name": "by_hand",
                "provider": 'provider["terraform.io/builtin/terraform"]',
                "instances": [{"schema_version": 0, "attributes": {"id": "x"}}],
            }
        ],
    }
    data = json.dumps(state).encode()
    until(lambda: story.head(number), what="a pull request")
    story.sees(number, "test (pr-")
    key = story.target("test", f"pr-{number}").key
    with story.writing() as tables:
        tables.states.append(key, data, StateInfo.parse(data))
    story.becomes(number, "up")
    story.github.close_pull(story.repository, number, actor="ann")
    story.becomes(number, "gone")
    assert story.resources(number) == 0


COMMANDS = """[stack.infra]
root = "infra"
[env.test]
on_pull_request = "apply"
instance = "pr-{pr}"
artifacts = ["kubeconfig"]
[env.test.sleep]
after = "2h"
command = ["sh", "-c", "grep -q key $KUBECONFIG && echo asleep {output.name} $HOME >> MARKS/switched; exit $(cat MARKS/code)"]
wake_command = ["sh", "-c", "echo awake {output.name} >> MARKS/switched; exit $(cat MARKS/code)"]
"""
OUTPUTS = b"""output "name" {
  value = terraform_data.web.output
}
output "kubeconfig" {
  value     = "key"
  sensitive = true
}
"""


def test_commands_of_the_policy_put_an_instance_to_sleep(world: World, holds: Holds) -> None:
    """They run instead of Terraform; what fails is shown with the next step, and is not tried again by itself."""
    switched = holds.directory / "switched"
    code = holds.directory / "code"
    code.write_text("0")
    policy = COMMANDS.replace("MARKS", str(holds.directory))
    story = Previews(world, files={**with_policy(policy), "infra/outputs.tf": OUTPUTS}, holds=holds)
    number = story.change()
    story.becomes(number, "up")
    story.accepted(number, "/test sleep", "put to sleep")
    story.ended("sleep", "done")
    story.becomes(number, "asleep")
    assert switched.read_text().startswith(f"asleep pr-{number} small ")
    story.sees(number, "💤 asleep")
    assert len(story.holds.calls("apply")) == 1, "Terraform has no part in it"

    code.write_text("3")
    story.accepted(number, "/test wake", "brought up")
    told = story.sees(number, "did not wake up")
    assert "exited with 3" in told
    assert "`/test wake`" in told
    assert story.ended("wake", "failed").message
    code.write_text("0")
    story.push({"infra/change.tf": b'resource "terraform_data" "other" {}\n'}, story.branch(number))
    story.becomes(number, "up")
    until(lambda: [run.outcome for run in story.runs("apply")][1:] == ["applied"], what="the push applied")
    kinds = [run.kind for run in story.runs() if run.outcome in ("done", "planned", "applied")]
    assert kinds == ["plan", "apply", "sleep", "wake", "plan", "apply"], "woken before it is planned"
    assert len(switched.read_text().splitlines()) == 3
    story.github.close_pull(story.repository, number, actor="ann")
    story.becomes(number, "gone")
