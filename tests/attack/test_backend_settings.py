"""Send a state elsewhere, or open it to everybody, by the settings of a pull request's own `backend "s3"` block."""

from __future__ import annotations

import pytest

from bot.playground.world import World, until
from tests.fixtures.world import Share
from tests.story.bucket import Bucket
from tests.story.holds import Holds
from tests.story.story import FILES, POLICY, Story

EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"


@pytest.fixture
def story(share: Share, bucket: Bucket, holds: Holds) -> Story:
    """A repository whose states are in a bucket."""
    policy = POLICY + f'\n[stack.infra.backend]\nkind = "s3"\nbucket = "{bucket.name}"\n'
    world: World = share(**bucket.settings())
    return Story(world, "acme/kept", FILES | {"envs/environments.toml": policy.encode()}, holds=holds)


def declaring(setting: str) -> dict[str, str]:
    return {"infra/backend.tf": f'terraform {{\n  backend "s3" {{\n    {setting}\n  }}\n}}\n'}


def test_a_state_for_everybody(story: Story, bucket: Bucket) -> None:
    number = story.propose(declaring('acl = "public-read"'))
    try:
        status = story.sees(number, "`backend.tf` line 3 sets `acl` for the `s3` backend")
    except AssertionError:
        story.applied(number)
        grants = bucket.client.get_object_acl(Bucket=bucket.name, Key="staging/terraform.tfstate")["Grants"]
        assert EVERYBODY not in str(grants), "everybody can read the state"
        raise
    assert "set it up on the bucket itself" in status
    assert bucket.names() == []


@pytest.mark.parametrize(
    "setting", ['http_proxy = "http://192.0.2.1:3128"', "insecure = true", 'profile = "admin"']
)
def test_a_way_to_the_bucket_of_the_strangers_own(story: Story, bucket: Bucket, setting: str) -> None:
    number = story.propose(declaring(setting))
    refusal = f"sets `{setting.split(maxsplit=1)[0]}`"
    until(lambda: refusal in story.status(number) or story.plan_is_fresh(number), what="a refusal, or a plan")
    assert refusal in story.status(number)
    assert bucket.names() == []
