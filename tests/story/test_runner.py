"""A bot that hands plans and applies over to GitHub Actions: the workflow step by step from its YAML, with real Terraform, and
a bot that has no secret of any cloud."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.actions.workflows import Options, workflows
from bot.domain.policy import parse_policy
from bot.playground.github import access
from bot.playground.github.workflow_records import WorkflowRun as Dispatched
from bot.playground.world import World, until
from bot.sandbox import landlock
from tests.fixtures.world import MakeWorld
from tests.story import orders
from tests.story.actions_world import MAKEFILE, TOWPATH
from tests.story.bucket import Bucket
from tests.story.holds import Holds
from tests.story.story import Story
from tests.story.test_crashes import SLOW
from tests.story.workflow_runner import WorkflowRunner

FILE = "terraform-run.yml"
POLICY = """[stack.infra]
root = "infra"
[stack.infra.backend]
kind = "s3"
bucket = "BUCKET"
[env.staging]
on_pull_request = "plan"
runner = "actions"
"""
BACKEND = """[stack.NAME.backend]
kind = "s3"
bucket = "BUCKET"
"""
ORDERED = f"""[stack.app]
root = "app"
after = ["network"]
inputs = {{ vpc_id = "network.vpc_id" }}
{BACKEND.replace("NAME", "app")}
[stack.network]
root = "network"
{BACKEND.replace("NAME", "network")}
[env.staging]
on_pull_request = "plan"
on_merge = "sync"
runner = "actions"
"""
SECRET = "STAGING_TF_VAR_password"
NEEDS_SECRET = """variable "env" {}
variable "password" {
  sensitive = true
}
resource "terraform_data" "web" {
  input = "${var.env} SIZE"
}
output "length" {
  value = nonsensitive(length(var.password))
}
"""


class ActionsRunner:
    """Carries out what is dispatched in the stand-in, one after the other, while it is let."""

    def __init__(self, world: World, bucket: Bucket, key: str) -> None:
        self.world, self.bucket, self.key = world, bucket, key
        self.log = ""
        self.forge_result = False
        self.no_towpath = False
        self._let, self._stopped = threading.Event(), threading.Event()
        self._let.set()
        self._number = 0

    def hold(self) -> None:
        """No runner is free."""
        self._let.clear()

    def release(self) -> None:
        self._let.set()

    @contextmanager
    def working(self) -> Iterator[None]:
        thread = threading.Thread(target=self._work, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            thread.join()

    def _work(self) -> None:
        hub = self.world.github
        while not self._stopped.wait(0.1):
            run = hub.queued_workflow()
            if run is None:
                continue
            if run.cancelled:
                hub.end_workflow(run, "cancelled", {})
            elif self._let.is_set():
                hub.take_workflow(run)
                conclusion, artifacts = self._carry_out(run)
                hub.end_workflow(run, conclusion, artifacts)

    def _carry_out(self, run: Dispatched) -> tuple[str, dict[str, bytes]]:
        self._number += 1
        repo = run.repo
        text = subprocess.run(
            ["git", "-C", repo.path, "show", f"{run.sha}:.github/workflows/{FILE}"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        hub, world = self.world.github, self.world
        environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        environment |= {
            "TOWPATH_SANDBOX": "landlock" if landlock.abi() else "off",
            "TOWPATH_TERRAFORM_BIN": world.environment()["TOWPATH_TERRAFORM_BIN"],
            "TOWPATH_SANDBOX_WRITE": world.environment()["TOWPATH_SANDBOX_WRITE"],
        }

        def token(permissions: Mapping[str, str]) -> str:
            assert permissions == {"contents": "read", "pull-requests": "read"}, "no more than is needed"
            granted = {"metadata": "read", "contents": "read", "pull_requests": "read"}
            return access.issue_token(hub.state, world._app, granted, [repo])[0]

        done = WorkflowRunner(
            world.directory / "runners" / str(self._number),
            environment,
            {"api_url": hub.url, "server_url": hub.url, "repository": repo.full_name},
            token,
            {
                "TOWPATH_ACTIONS_KEY": "x" if self.no_towpath else self.key,
                "TOWPATH_S3_ACCESS_KEY_ID": "k",
                "TOWPATH_S3_SECRET_ACCESS_KEY": "s",
                SECRET: "hunter2",
            },
            {"TOWPATH_S3_ENDPOINT_URL": self.bucket.address, "TOWPATH_S3_REGION": "us-east-1"},
            number=run.id,
            cancelled=lambda: run.cancelled,
        ).run(text, "workflow_dispatch", {"inputs": run.inputs})
        self.log += done.log
        ran = [job.result for job in done.jobs.values() if job.result != "skipped"]
        assert len(ran) == 1, "one job for each request"
        files: dict[str, bytes] = {}
        for name, directory in done.artifacts.items():
            (file,) = directory.iterdir()
            files[name] = file.read_bytes()
        if self.forge_result:
            files = {name: content[:-1] + bytes([content[-1] ^ 1]) for name, content in files.items()}
        return ran[0], files


@pytest.fixture
def key() -> str:
    return secrets.token_hex(32)


def begin(
    make_world: MakeWorld,
    holds: Holds,
    bucket: Bucket,
    key: str,
    rules: str = POLICY,
    more: Mapping[str, bytes] | None = None,
) -> tuple[Story, ActionsRunner]:
    """A repository with the workflow that `towpath setup actions` writes, and a bot that may start it."""
    world = make_world(settings={**bucket.settings(), "TOWPATH_ACTIONS_KEY": key})
    world._app.permissions["actions"] = "write"
    paths = os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", ""))))
    makefile = MAKEFILE.replace("INTERPRETER", sys.executable).replace("PATHS", paths)
    world.github.create_repo(TOWPATH, {"Makefile": makefile})
    source = world.github.state.repo(TOWPATH).path
    commit = subprocess.run(
        ["git", "-C", source, "rev-parse", "main"], capture_output=True, text=True, check=True
    ).stdout.strip()
    policy = rules.replace("BUCKET", bucket.name)
    options = Options(f"{world.github.url}/{TOWPATH}.git@{commit}", secrets=(SECRET,))
    files: dict[str, Any] = {
        **(more or {}),
        "envs/environments.toml": policy.encode(),
        "infra/main.tf": NEEDS_SECRET.replace("SIZE", "small").encode(),
        **{
            f".github/workflows/{name}": text.encode()
            for name, text in workflows(parse_policy(policy, "test"), options).items()
        },
    }
    story = Story(world, holds=holds)
    story.push(files, "main", author="carol")
    return story, ActionsRunner(world, bucket, key)


def test_a_pull_request_is_planned_and_applied_in_actions(
    make_world: MakeWorld, holds: Holds, bucket: Bucket, key: str
) -> None:
    story, runner = begin(make_world, holds, bucket, key)
    with runner.working():
        number = story.propose({"infra/main.tf": NEEDS_SECRET.replace("SIZE", "large")})
        story.planned(number)
        runner.hold()
        asked = story.say(number, "/apply staging")
        _dispatched(story, 2)
        story.world.bot.kill()
        runner.release()
        story.world.bot.start()
        story.reacted(number, asked, "rocket")
        story.sees(number, "applied")
        story.is_sound()
        story.say(number, "/drift staging")
        story.is_told(number, "which only plans and applies")
        replayed = _dispatched_by_ann(story, 1)
    assert replayed.ended == "failure"
    assert "The state of staging has changed since the plan was reviewed" in runner.log
    assert bucket.names() == ["staging/terraform.tfstate"]
    assert b"staging large" in bucket.get("staging/terraform.tfstate")
    with story.tables() as rows:
        release = rows.releases.newest(story.target())
    assert release is not None
    assert release.pull == number
    dispatched = [one for one in story.world.github.state.workflow_runs.values() if one.inputs]
    assert [one.actor.login for one in dispatched if one.actor] == [story.bot, story.bot, "ann"]
    assert "hunter2" not in runner.log


def test_what_was_cancelled_failed_early_or_is_forged(
    make_world: MakeWorld, holds: Holds, bucket: Bucket, key: str
) -> None:
    story, runner = begin(make_world, holds, bucket, key)
    with runner.working():
        runner.hold()
        number = story.propose({"infra/main.tf": NEEDS_SECRET.replace("SIZE", "large")})
        story.sees(number, "staging")
        _dispatched(story, 1)
        story.say(number, "/cancel")
        story.ended("plan", "cancelled")
        runner.release()

        runner.no_towpath = True
        story.say(number, "/plan staging")
        assert "ended before it handed back a result (failure)" in story.sees(number, "before it handed back")
        runner.no_towpath = False

        runner.forge_result = True
        story.say(number, "/plan staging")
        story.sees(number, "not sealed with the bot's key")
        runner.forge_result = False

        runner.hold()
        story.say(number, "/plan staging")
        _dispatched(story, 4)
        story.world.bot.kill()
        runner.release()
        story.world.bot.start()
        story.planned(number)
        runner.forge_result = True
        story.say(number, "/apply staging")
        story.ended("apply", "interrupted")
    assert len([one for one in story.world.github.state.workflow_runs.values() if one.inputs]) == 5


def _dispatched(story: Story, count: int) -> None:
    until(lambda: len(story.world.github.state.workflow_runs) >= count, what="a dispatch")


def _dispatched_by_ann(story: Story, number: int) -> Dispatched:
    """Start the workflow with the inputs of an earlier run of the bot's, and wait for its end."""
    hub = story.world.github
    inputs = list(hub.state.workflow_runs.values())[number].inputs
    answer = httpx.post(
        f"{hub.url}/repos/{story.repository}/actions/workflows/{FILE}/dispatches",
        headers={"authorization": f"Bearer {hub.state.user('ann').token}"},
        json={"ref": "main", "inputs": inputs},
    )
    assert answer.status_code == 204, answer.text
    run = list(hub.state.workflow_runs.values())[-1]
    until(lambda: run.ended, what="the end of the workflow run")
    return run


def test_a_state_that_cannot_be_uploaded_comes_back_to_the_bot(
    make_world: MakeWorld, holds: Holds, bucket: Bucket, key: str
) -> None:
    story, runner = begin(make_world, holds, bucket, key)
    with runner.working():
        number = story.propose({"infra/main.tf": NEEDS_SECRET.replace("SIZE", "large")})
        story.planned(number)
        bucket.closed.set()
        story.say(number, "/apply staging")
        run = story.ended("apply", "failed")
        bucket.closed.clear()
        assert "Towpath kept it" in run.message
        story.say(number, "/push-state staging")
        until(lambda: "staging/terraform.tfstate" in bucket.names(), what="the state in the bucket")
    assert b"staging large" in bucket.get("staging/terraform.tfstate")
    story.is_sound()


def test_inputs_and_the_default_branch_after_a_merge(
    make_world: MakeWorld, holds: Holds, bucket: Bucket, key: str
) -> None:
    """Another stack's output is read from its state in the bucket. What is merged without an apply is planned from main, and
    applied from there."""
    story, runner = begin(make_world, holds, bucket, key, ORDERED, orders.FILES)
    outputs = {"vpc_id": {"value": "vpc-1", "type": "string"}}
    state = {"version": 4, "serial": 1, "lineage": "l", "terraform_version": "1.5.0", "outputs": outputs}
    bucket.put("staging/network/terraform.tfstate", json.dumps(state | {"resources": []}).encode())
    with runner.working():
        number = story.propose(orders.app("large"))
        story.sees(number, "`/apply staging app`")
        story.github.merge_pull(story.repository, number, actor="bob")
        story.sees(number, "differs from main")
        story.shown(story.runs("sync")[-1].id)
        story.reacted(number, story.say(number, "/apply staging app"), "rocket")
        story.sees(number, "applied main")
    assert b"large in vpc-1" in bucket.get("staging/app/terraform.tfstate")
    assert [run.outcome for run in story.runs()] == ["planned", "planned", "applied"]
    story.is_sound()


def test_an_apply_that_is_cancelled_hands_back_its_state(
    make_world: MakeWorld, holds: Holds, bucket: Bucket, key: str
) -> None:
    """GitHub signals the job, Terraform is interrupted once, and the bot hears what became of it."""
    story, runner = begin(make_world, holds, bucket, key)
    slow = NEEDS_SECRET.replace("SIZE", "large") + SLOW.replace("{marks}", str(holds.directory))
    with runner.working():
        number = story.propose({"infra/main.tf": slow})
        story.planned(number)
        holds.hold("busy")
        story.say(number, "/apply staging")
        until((holds.directory / "begun").exists, what="the middle of the apply")
        story.say(number, "/cancel")
        run = story.ended("apply", "cancelled")
        holds.release("busy")
    assert "Terraform finished the operations in progress and saved the state" in run.message
    state = bucket.get("staging/terraform.tfstate")
    assert b"staging large" in state
    assert b'"name": "after"' not in state, "what comes after that was not begun"
    with story.tables() as tables:
        release, version = tables.releases.newest(story.target()), tables.states.newest(story.target().key)
    assert release is None
    assert version is not None
    assert version.serial == json.loads(state)["serial"]
    story.is_sound()
