"""States in a bucket: the repository declares an s3 backend, and everything else is as ever."""

from __future__ import annotations

from pathlib import Path

from bot.playground import sample
from bot.playground.world import World, until
from tests.story.bucket import Bucket

POLICY = """[stack.infra]
root = "infra"
when_modified = ["infra/**", "envs/*.tfvars"]
[stack.infra.backend]
kind = "s3"
bucket = "NAME"
[env.ci]
on_pull_request = "plan"
instance = "pr-{pr}"
[env.staging]
[env.prod]
promote_from = "staging"
"""


def test_each_environment_has_its_own_key_and_each_apply_leaves_a_version(
    tmp_path: Path, bucket: Bucket
) -> None:
    files = sample.files() | {
        "envs/environments.toml": POLICY.replace("NAME", bucket.name).encode(),
        "infra/backend.tf": b'terraform {\n  backend "s3" {}\n}\n',
    }
    with World(tmp_path / "world", files=files, settings=bucket.settings()) as world:
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
        assert bucket.names() == ["env:/pr-1/ci/terraform.tfstate", "staging/terraform.tfstate"]
        world.say(number, "/history staging", author="bob")
        answer = until(lambda: [one["body"] for one in world.comments(number)[1:]], what="the history")
        assert "ann" in answer[-1]
        assert world.clouds["staging"].things("server")
        assert world.clouds["ci"].things("server")
        again = world.say(number, "/plan staging")
        until(lambda: "+1" in world.reactions(number, again), what="planned again")
        until(lambda: "no changes" in world.status(number).lower(), what="no changes")


def test_a_repository_that_names_another_bucket_is_refused(tmp_path: Path, bucket: Bucket) -> None:
    bucket.client.create_bucket(Bucket="theirs")
    files = sample.files() | {
        "envs/environments.toml": POLICY.replace("NAME", bucket.name).encode(),
        "infra/zz_override.tf": b'terraform {\n  backend "s3" {\n    bucket = "theirs"\n  }\n}\n',
    }
    with World(tmp_path / "world", files=files, settings=bucket.settings()) as world:
        number = world.propose("bigger-web")
        status = until(
            lambda: "zz_override.tf" in world.status(number) and world.status(number), what="the refusal"
        )
        assert "backend" in str(status)
        assert bucket.names() == []
