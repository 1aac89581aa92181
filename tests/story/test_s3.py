"""States in a bucket: the repository declares an s3 backend, and everything else is as ever."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from bot.playground import sample
from bot.playground.world import World, until

POLICY = b"""[stack.infra]
root = "infra"
when_modified = ["infra/**", "envs/*.tfvars"]
[stack.infra.backend]
kind = "s3"
bucket = "states"
[env.ci]
on_pull_request = "plan"
instance = "pr-{pr}"
[env.staging]
[env.prod]
promote_from = "staging"
"""


@pytest.fixture
def bucket() -> Iterator[str]:
    """The address of an S3 with one empty bucket, `states`."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    httpx.post(f"{address}/moto-api/reset").raise_for_status()  # what another server in this process left
    client(address).create_bucket(Bucket="states")
    yield address
    server.stop()


def client(address: str):  # type: ignore[no-untyped-def]
    return boto3.client(
        "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s"
    )


def reached_at(address: str) -> dict[str, str]:
    """The bot's settings for it."""
    return {
        "TOWPATH_S3_ENDPOINT_URL": address,
        "TOWPATH_S3_ACCESS_KEY_ID": "k",
        "TOWPATH_S3_SECRET_ACCESS_KEY": "s",
        "TOWPATH_S3_REGION": "us-east-1",
    }


def keys(address: str) -> list[str]:
    found = client(address).list_objects_v2(Bucket="states").get("Contents", [])
    return sorted(entry["Key"] for entry in found)


def test_each_environment_has_its_own_key_and_each_apply_leaves_a_version(
    tmp_path: Path, bucket: str
) -> None:
    files = sample.files() | {
        "envs/environments.toml": POLICY,
        "infra/backend.tf": b'terraform {\n  backend "s3" {}\n}\n',
    }
    with World(tmp_path / "world", files=files, settings=reached_at(bucket)) as world:
        number = world.propose("bigger-web")
        until(
            lambda: "`/apply staging`" in world.status(number) and "`/apply ci`" in world.status(number),
            what="both plans",
        )
        for environment in ("staging", "ci"):
            comment = world.say(number, f"/apply {environment}")
            until(
                lambda comment=comment: "rocket" in world.reactions(number, comment),
                what=f"{environment} applied",
            )  # type: ignore[misc]
        assert keys(bucket) == ["env:/pr-1/ci/terraform.tfstate", "staging/terraform.tfstate"]
        world.say(number, "/history staging", author="bob")
        answer = until(lambda: [one["body"] for one in world.comments(number)[1:]], what="the history")
        assert "ann" in answer[-1]
        assert world.clouds["staging"].things("server")
        assert world.clouds["ci"].things("server")
        again = world.say(number, "/plan staging")
        until(lambda: "+1" in world.reactions(number, again), what="planned again")
        until(lambda: "no changes" in world.status(number).lower(), what="no changes")


def test_a_repository_that_names_another_bucket_is_refused(tmp_path: Path, bucket: str) -> None:
    client(bucket).create_bucket(Bucket="theirs")
    files = sample.files() | {
        "envs/environments.toml": POLICY,
        "infra/zz_override.tf": b'terraform {\n  backend "s3" {\n    bucket = "theirs"\n  }\n}\n',
    }
    with World(tmp_path / "world", files=files, settings=reached_at(bucket)) as world:
        number = world.propose("bigger-web")
        status = until(
            lambda: "zz_override.tf" in world.status(number) and world.status(number), what="the refusal"
        )
        assert "backend" in str(status)
        assert keys(bucket) == []
