"""A Terraform that hangs, floods, or says what it should not."""

from __future__ import annotations

import base64
from functools import partial

from bot.jobs.durable import AHEAD
from bot.playground.world import World, until
from tests.fixtures.world import MakeWorld, Share
from tests.story.holds import Holds
from tests.story.story import FILES, MAIN, POLICY, Story

HANGING = (
    MAIN
    + """
resource "terraform_data" "hanging" {
  provisioner "local-exec" {
    command = "touch '{marks}/begun'; sleep 600"
  }
}
"""
)
FLOOD = (
    MAIN
    + """
resource "terraform_data" "flood" {
  provisioner "local-exec" {
    command = "i=0; while [ $i -lt 40000 ]; do echo \\"line $i of a flood that nobody reads to its end\\"; i=$((i+1)); done"
  }
}
"""
)
LEAK = """variable "env" {}
variable "token" {
  default = ""
}
resource "terraform_data" "web" {
  input = "prefix-${var.token}-suffix"
  provisioner "local-exec" {
    command = "echo told ${var.token}; echo in the environment: $TF_VAR_token"
  }
}
output "token" {
  value = "out ${var.token}"
}
output "written_otherwise" {
  value = [base64encode(var.token), jsonencode({ of = var.token })]
}
"""
TOKEN = "s3cr3t-of-staging-4711"


def test_a_time_limit(world: World, holds: Holds) -> None:
    """The policy's time limit interrupts Terraform once; people are told what may be left."""
    files = FILES | {"envs/environments.toml": (POLICY + 'timeout = "3s"\n').encode()}
    story = Story(world, "acme/slow", files, holds=holds)
    number = story.propose({"infra/main.tf": HANGING.replace("{marks}", str(holds.directory))})
    story.planned(number)
    comment = story.say(number, "/apply staging")
    story.reacted(number, comment, "-1")
    run = story.ended("apply", "timed_out")
    assert "time limit" in run.message
    story.sees(number, "time limit")
    story.is_sound()


def test_a_cancel(story: Story, world: World) -> None:
    """`/cancel` interrupts once, Terraform keeps its state, and the comment tells what was left."""
    marks = story.holds.directory
    number = story.propose({"infra/main.tf": HANGING.replace("{marks}", str(marks))})
    story.planned(number)
    comment = story.say(number, "/apply staging")
    until((marks / "begun").exists, what="the middle of the apply")
    story.reacted(number, story.say(number, "/cancel"), "+1")
    story.is_told(number, "Terraform finishes the operations in progress")
    story.reacted(number, comment, "-1")
    run = story.ended("apply", "cancelled")
    assert "terraform_data.hanging" in run.message
    story.sees(number, "`/plan staging`")
    story.is_sound()
    with story.tables() as tables:
        assert tables.states.current(story.target().key) is not None


def test_a_cancel_before_it_begins(share: Share, holds: Holds) -> None:
    """What waits in the queue is taken back."""
    story = Story(share(TOWPATH_SLOTS="1"), holds=holds)
    first = story.propose("medium")
    story.planned(first)
    holds.hold("plan")
    story.propose("larger", author="bob")
    holds.await_call("plan", 2)
    for _ in range(AHEAD):  # prepared already, while they wait for Terraform's turn
        ahead = story.propose("larger", author="carol")
        until(partial(story.runs, "plan", ahead), what="a plan that is prepared ahead")
    second = story.propose("large")
    until(lambda: story.runs("plan", second), what="the plan in the queue")
    story.reacted(second, story.say(second, "/cancel"), "+1")
    story.is_told(second, "Cancelled the queued plan of staging")
    holds.release("plan")
    story.is_sound()
    assert [run.outcome for run in story.runs("plan", second)] == ["cancelled"]


def test_a_flood(story: Story) -> None:
    """Megabytes of output: the apply ends well, and what people see has its size."""
    number = story.propose({"infra/main.tf": FLOOD})
    story.planned(number)
    story.applied(number)
    story.is_sound()
    assert len(story.status(number)) < 65_536
    (check,) = story.entries(number, "check")
    assert max(len(check["summary"]), len(check["text"])) < 65_536


def test_a_secret(make_world: MakeWorld, holds: Holds) -> None:
    """A secret of the environment that Terraform prints is hidden wherever people look."""
    world = make_world(settings={"STAGING_TF_VAR_token": TOKEN})
    story = Story(world, holds=holds)
    number = story.propose({"infra/main.tf": LEAK}, title="Told")
    story.planned(number)
    story.applied(number)
    story.is_sound()
    run = story.ended("apply", "applied")
    with story.tables() as tables:
        lines = "\n".join(tables.runs.log(run.id)[1])
        stored = repr(tables.plans.newest(story.target(), number))
    assert "told" in lines
    (check,) = story.entries(number, "check")
    seen = [lines, stored, *(one["body"] for one in story.comments(number)), repr(check)]
    seen += [repr(world.slack.messages("#infra")), world.bot.log.read_text()]
    for place in seen:
        assert TOKEN not in place
        assert base64.b64encode(TOKEN.encode()).decode().rstrip("=") not in place
    data = world.directory / "data"
    for path in [*data.glob("*.db*"), *data.glob("**/journal/**/output*")]:
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes(), path
