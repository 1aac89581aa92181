"""States in a bucket: the repository declares an s3 backend, and everything else is as ever."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from bot.playground import sample
from bot.playground.world import World, until
from tests.fixtures.world import Share
from tests.fork_server import ForkServer
from tests.story.bucket import Bucket
from tests.story.holds import Holds
from tests.story.story import MAIN, Story

POLICY = """[stack.infra]
root = "infra"
when_modified = ["infra/**", "envs/*.tfvars"]
[stack.infra.backend]
kind = "s3"
bucket = "NAME"
[env.dev]
local = true
[env.ci]
on_pull_request = "plan"
instance = "pr-{pr}"
[env.test]
on_pull_request = "plan"
instance = "pr-{pr}"
[env.staging]
[env.prod]
promote_from = "staging"
approvals = { count = 0 }
"""
BACKEND = 'terraform {\n  backend "s3" {}\n}\n'
OTHERS = ("ci", "test", "staging", "prod")


class Laptop:
    """A checkout, and a person's own Terraform and `towpath` in it."""

    def __init__(self, path: Path, terraform: str, bucket: Bucket) -> None:
        path.mkdir()
        self.path, self.terraform, self.bucket = path, terraform, bucket
        (path / "main.tf").write_text(BACKEND + MAIN.replace("SIZE", "laptop"))
        self.env = {
            "PATH": f"{Path(terraform).parent}:{os.environ['PATH']}",
            "HOME": str(path),
            "CHECKPOINT_DISABLE": "1",
            "AWS_ACCESS_KEY_ID": "k",
            "AWS_SECRET_ACCESS_KEY": "s",
        }

    def run(self, *arguments: str) -> None:
        done = subprocess.run(
            [self.terraform, *arguments],
            cwd=self.path,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def init(self, key: str, workspace: str = "") -> None:
        settings = {
            "bucket": self.bucket.name,
            "key": key,
            "region": "us-east-1",
            "use_lockfile": "true",
            "endpoints": json.dumps({"s3": self.bucket.address}),
            **dict.fromkeys(
                ("use_path_style", "skip_credentials_validation", "skip_requesting_account_id"), "true"
            ),
        }
        given = [f"-backend-config={name}={value}" for name, value in settings.items()]
        self.run("init", "-no-color", "-reconfigure", *given)
        if workspace:
            self.run("workspace", "select", workspace)


def test_each_environment_has_its_own_key(
    share: Share, holds: Holds, bucket: Bucket, terraform: str, fork_server: ForkServer, tmp_path: Path
) -> None:
    """Of the five: dev from a laptop, ci and test as the instances of a pull request, staging, then prod. The laptop proves
    for each that its own Terraform has the same state as the bot."""
    files = {
        "infra/main.tf": MAIN.replace("SIZE", "small").encode(),
        "infra/backend.tf": BACKEND.encode(),
        "envs/environments.toml": POLICY.replace("NAME", bucket.name).encode(),
        **{f"envs/{name}.tfvars": f'env = "{name}"\n'.encode() for name in ("dev", *OTHERS)},
    }
    story = Story(share(**bucket.settings()), "acme/keys", files, holds=holds)
    laptop = Laptop(tmp_path / "laptop", terraform, bucket)
    laptop.init("dev/terraform.tfstate")
    laptop.run("apply", "-no-color", "-auto-approve", "-var=env=dev")
    number = story.propose()
    for environment in OTHERS:
        if environment == "prod":
            story.reacted(number, story.say(number, "/plan prod"), "+1")
        story.sees(number, f"`/apply {environment}`")
        story.applied(number, environment)
    assert bucket.names() == sorted(
        [
            "dev/terraform.tfstate",
            f"env:/pr-{number}/ci/terraform.tfstate",
            f"env:/pr-{number}/test/terraform.tfstate",
            "staging/terraform.tfstate",
            "prod/terraform.tfstate",
        ]
    )

    def verify(environment: str) -> dict[str, tuple[bool, str]]:
        """What the laptop is told: name of the comparison → whether it is as it should be, and the sentence."""
        asked = [
            "state",
            "verify",
            environment,
            "--url",
            story.world.bot.url,
            "--repository",
            story.repository,
        ]
        instance = ["--pull", str(number)] if environment in ("ci", "test") else []
        who = {"GITHUB_TOKEN": str(story.world.github.state.user("ann").token)}
        done = fork_server.run(
            [*asked, *instance, "--directory", str(laptop.path), "--json"], laptop.env | who
        )
        told = json.loads(done.stdout or "{}")
        assert (done.returncode == 0) == told["ok"], done.stderr
        return {one["what"]: (one["ok"], one["said"]) for one in told["findings"]}

    assert all(ok for ok, _said in verify("dev").values())
    laptop.init("ci/terraform.tfstate", f"pr-{number}")
    found = verify("ci")
    assert all(ok for ok, _said in found.values())
    assert f"object env:/pr-{number}/ci/terraform.tfstate" in found["place"][1]
    assert f"bucket {bucket.name}" in found["place"][1]
    assert {name for name, (ok, _said) in verify("test").items() if not ok} == {
        "key",
        "lineage of the directory",
    }
    found = verify("staging")
    assert found["workspace"] == (
        False,
        f"The workspace of the directory is pr-{number}; the target's is default.",
    )
    assert not found["lineage of the directory"][0]


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
