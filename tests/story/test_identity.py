"""Runs with an identity: what they reach, and what is left of their tokens."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.playground.bot_process import free_port
from bot.playground.world import World
from tests.fixtures.world import MakeWorld
from tests.story.bucket import Bucket
from tests.story.holds import Holds
from tests.story.story import POLICY, Story

IDENTITY = """[env.staging.identity]
aws = { plan = "arn:aws:iam::123456789012:role/read", apply = "arn:aws:iam::123456789012:role/write" }
"""
SMOKE = """smoke = [{ name = "identity", command = ["sh", "-c",
  'test "$AWS_ROLE_ARN" = arn:aws:iam::123456789012:role/write && test -s "$AWS_WEB_IDENTITY_TOKEN_FILE"'] }]
"""


def begin(make_world: MakeWorld, holds: Holds, policy: str, **settings: str) -> Story:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    world = make_world(port=port, settings={"TOWPATH_PUBLIC_URL": address, **settings})
    story = Story(world, holds=holds)
    story.push({"envs/environments.toml": policy}, "main", author="carol")
    return story


def tokens(world: World) -> list[Path]:
    return sorted((world.directory / "data").glob("**/identity-*"))


@pytest.mark.parametrize("step", ["plan", "apply"])
def test_no_token_outlives_its_run_where_the_bot_is_killed(
    make_world: MakeWorld, holds: Holds, step: str
) -> None:
    story = begin(make_world, holds, POLICY + IDENTITY)
    if step == "plan":
        holds.hold("plan")
        number = story.propose()
    else:
        number = story.propose()
        story.planned(number)
        assert tokens(story.world) == []
        holds.hold("apply")
        story.say(number, "/apply staging")
    holds.await_call(step)
    assert len(tokens(story.world)) == 1
    story.world.bot.kill()
    holds.release(step)
    story.world.bot.start()
    if step == "plan":
        story.planned(number)
    else:
        story.ended("apply", "applied", "interrupted")
    story.is_sound()
    assert tokens(story.world) == []


def test_the_state_keeps_its_own_key_and_smoke_commands_get_the_role(
    make_world: MakeWorld, holds: Holds, bucket: Bucket
) -> None:
    """Terraform's s3 backend reads the variables of AWS too; the bucket's key comes before them."""
    story = begin(
        make_world, holds, POLICY + SMOKE + IDENTITY, TOWPATH_S3_BUCKET=bucket.name, **bucket.settings()
    )
    number = story.propose(
        {
            "infra/backend.tf": 'terraform {\n  backend "s3" {}\n}\n',
            "infra/main.tf": 'output "a" {\n  value = 1\n}\n',
        }
    )
    story.planned(number)
    story.applied(number)
    story.is_sound()
    assert bucket.names() == ["staging/terraform.tfstate"]
    with story.tables() as rows:
        release = rows.releases.newest(story.target())
    assert release is not None
    assert release.verification == "passed", release.checks
    assert tokens(story.world) == []


def test_without_a_public_address_people_are_told(make_world: MakeWorld, holds: Holds) -> None:
    world = make_world()
    story = Story(world, holds=holds)
    story.push({"envs/environments.toml": POLICY + IDENTITY}, "main", author="carol")
    number = story.propose()
    assert "TOWPATH_PUBLIC_URL" in story.sees(number, "no public https address")
    story.is_sound()
