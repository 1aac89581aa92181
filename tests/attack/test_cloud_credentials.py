"""Pull requests that want more of a cloud than to read it, and a fork that wants anything at all."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from bot.playground.bot_process import free_port
from bot.playground.world import REPOSITORY, World
from tests.fixtures.identity import verified
from tests.fixtures.world import MakeWorld
from tests.story.holds import Holds
from tests.story.story import POLICY, Story

IDENTITY = """[env.staging.identity]
aws = { plan = "arn:aws:iam::123456789012:role/read", apply = "arn:aws:iam::123456789012:role/write" }
vault = { audience = "https://vault.example.com", file_variable = "TF_VAR_token_file" }
"""
KEY = """resource "terraform_data" "web" {
  input = "write key seen: ${try(strcontains(file("/proc/self/environ"), "the-write-key"), false)}"
}
"""
USE = """resource "terraform_data" "web" {
  provisioner "local-exec" {
    command = "test \\"$KEY\\" = the-write-key && test \\"$SHARED\\" = shared"
  }
}
"""
TOKEN = """variable "token_file" {
  default = "/none"
}
locals {
  parts  = split(".", file(var.token_file))
  text   = replace(replace(local.parts[1], "-", "+"), "_", "/")
  claims = jsondecode(base64decode("${local.text}${substr("===", 0, (4 - length(local.text) % 4) % 4)}"))
}
resource "terraform_data" "web" {
  input = "sub<${local.claims.sub}> aud<${local.claims.aud}> signature<${local.parts[2]}>"
}
"""
LOOK = """variable "token_file" {
  default = "/none"
}
locals {
  found = try(fileset("${path.root}/../.towpath", "identity-*"), [])
}
resource "terraform_data" "web" {
  input = "read<${try(file(var.token_file), "nothing")}> found ${length(local.found)} tokens"
}
"""


@pytest.fixture
def issuing(make_world: MakeWorld, holds: Holds) -> Story:
    """A bot that issues tokens, and a repository whose policy asks for them."""
    port = free_port()
    world = make_world(port=port, settings={"TOWPATH_PUBLIC_URL": f"http://127.0.0.1:{port}"})
    story = Story(world, holds=holds)
    story.push({"envs/environments.toml": POLICY + IDENTITY}, "main", author="carol")
    return story


def tokens(world: World) -> list[Path]:
    """The files with tokens that are on the bot's disk."""
    return sorted((world.directory / "data").glob("**/identity-*"))


def test_a_plan_takes_no_key_that_can_write(make_world: MakeWorld, holds: Holds) -> None:
    """Whoever can push can run code in a plan, unread. The apply, which people have approved, gets the key."""
    world = make_world(settings={"STAGING_APPLY_KEY": "the-write-key", "STAGING_SHARED": "shared"})
    story = Story(world, holds=holds)
    number = story.propose({"infra/main.tf": KEY})
    story.planned(number)
    assert "write key seen: false" in story.status(number)
    other = story.propose({"infra/main.tf": USE})
    story.planned(other)
    story.applied(other)
    story.is_sound()


def test_a_plan_cannot_pass_for_an_apply(issuing: Story, holds: Holds) -> None:
    """It shows all of its token to the world: that says that it is a plan's, and without the signature it is worth
    nothing."""
    holds.hold("plan")
    number = issuing.propose({"infra/main.tf": TOKEN})
    holds.await_call("plan")
    held = {path.name: path.read_text() for path in tokens(issuing.world)}
    assert {path.stat().st_mode & 0o777 for path in tokens(issuing.world)} == {0o600}
    holds.release("plan")
    issuing.planned(number)
    subject = f"repo:{issuing.repository}:env:staging:stack:infra:phase:plan"
    assert f"sub<{subject}> aud<https://vault.example.com>" in issuing.status(number)
    with httpx.Client(base_url=issuing.world.bot.url) as client:
        claims = verified(client, held["identity-aws.token"], "sts.amazonaws.com")
    assert (claims["sub"], claims["phase"], claims["actor"]) == (subject, "plan", "ann")
    assert (claims["commit"], claims["pull_request"]) == (issuing.head(number), str(number))
    assert "signature<***>" in issuing.status(number)
    assert set(held) == {"identity-aws.token", "identity-vault.token"}
    shown = json.dumps(issuing.github.timeline(issuing.repository, number)) + issuing.world.bot.tail(1000)
    with issuing.tables() as rows:
        shown += "\n".join(rows.runs.log(issuing.runs("plan")[-1].id)[1])
    for token in held.values():
        assert token.rpartition(".")[2] not in shown
    issuing.is_sound()
    assert tokens(issuing.world) == []


def test_a_fork_gets_no_token(issuing: Story) -> None:
    """Even where somebody has read it and asks for its plan."""
    github = issuing.github
    fork = github.fork(REPOSITORY, "dave")
    github.commit_files(fork, "mine", {"infra/main.tf": LOOK}, author="dave", message="Mine")
    number = github.open_pull(REPOSITORY, author="dave", head="mine", title="Mine", fork=fork)
    issuing.sees(number, "not planned until somebody with the `write` role")
    issuing.reacted(number, issuing.say(number, "/plan", "ann"), "+1")
    issuing.sees(number, "read<nothing> found 0 tokens")
    mine = issuing.propose({"infra/main.tf": LOOK})
    issuing.planned(mine)
    assert "found 2 tokens" in issuing.status(mine)
    issuing.is_sound()
    assert tokens(issuing.world) == []
