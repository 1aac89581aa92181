"""What becomes of states when their backend fails, when a machine dies over them, and when they move."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from bot.domain.state import LockInfo, StateInfo
from bot.playground.bot_process import BotProcess
from bot.playground.world import until
from tests.contract.state_store import state
from tests.fixtures.world import MakeWorld
from tests.story.bucket import Bucket, opened
from tests.story.holds import Holds
from tests.story.story import FILES, MAIN, POLICY, Story

KEY = "staging/terraform.tfstate"
IN_BUCKET = '\n[stack.infra.backend]\nkind = "s3"\nbucket = "states"\n'
SLOW = """
resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "touch '{marks}/begun'; while [ -e '{marks}/busy' ]; do sleep 0.05; done"
  }
}
resource "terraform_data" "after" {
  depends_on = [terraform_data.slow]
  provisioner "local-exec" {
    command = "touch '{marks}/done'"
  }
}
"""


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with opened() as found:
        yield found


@pytest.fixture
def in_bucket(make_world: MakeWorld, holds: Holds, bucket: Bucket) -> Story:
    """A repository whose states are in the bucket."""
    world = make_world(settings=bucket.settings())
    files = FILES | {"envs/environments.toml": (POLICY + IN_BUCKET).encode()}
    return Story(world, "acme/kept", files, holds=holds)


def towpath(story: Story, *arguments: str, ok: bool = True) -> str:
    """The operator's command line, on the bot's machine."""
    done = subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        env=story.world.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) == ok, done.stderr
    return done.stdout if ok else done.stderr


def failed_upload(story: Story, bucket: Bucket) -> int:
    """An apply whose state could not be uploaded; returns its pull request."""
    first = story.propose("small-ish")
    story.planned(first)
    story.applied(first)
    story.github.close_pull(story.repository, first, actor="ann")
    number = story.propose("large")
    story.planned(number)
    bucket.closed.set()
    story.reacted(number, story.say(number, "/apply staging"), "-1")
    bucket.closed.clear()
    return number


def test_a_state_that_could_not_be_uploaded(in_bucket: Story, bucket: Bucket) -> None:
    """It is kept sealed, told, stands in the way of other applies, and is pushed by one command."""
    story = in_bucket
    number = failed_upload(story, bucket)
    before = StateInfo.parse(bucket.get(KEY))
    run = story.ended("apply", "failed")
    assert "could not be uploaded" in run.message
    story.sees(number, "`/push-state staging` pushes it")
    data = story.world.directory / "data"
    assert not list(data.glob("**/errored.tfstate"))
    with story.tables() as tables:
        (kept,) = tables.unsaved.open([story.target()])
        content = tables.unsaved.data(kept.id)
    assert (kept.lineage, kept.pull, kept.login) == (before.lineage, number, "ann")
    assert kept.serial > before.serial
    with story.tables() as tables:
        ((sealed,),) = tables.connection.exec_driver_sql("SELECT file FROM unsaved").all()
    assert kept.lineage.encode() in content
    assert kept.lineage.encode() not in sealed
    story.reacted(number, story.say(number, "/plan staging"), "+1")
    story.reacted(number, story.say(number, "/apply staging"), "-1")
    story.is_told(number, "is not known to the backend")
    story.reacted(number, story.say(number, "/push-state staging"), "+1")
    story.is_told(number, "is pushed")
    assert bucket.get(KEY) == content
    assert bucket.names() == [KEY]
    story.say(number, "/push-state staging")
    story.is_told(number, "no state of staging that waits")
    with story.tables() as tables:
        newest = tables.states.newest(story.target().key)
        actions = [row.action for row in tables.connection.exec_driver_sql("SELECT action FROM audit").all()]
    assert newest is not None
    assert (newest.sha256, newest.run_id) == (kept.sha256, run.id)
    assert {"state.unsaved", "state.pushed"} <= set(actions)
    story.reacted(number, story.say(number, "/plan staging"), "+1")
    story.sees(number, "o changes")
    story.is_sound()


def test_a_kept_state_is_not_pushed_over_anothers(in_bucket: Story, bucket: Bucket) -> None:
    story = in_bucket
    number = failed_upload(story, bucket)
    before = StateInfo.parse(bucket.get(KEY))
    theirs = state(before.serial + 1, before.lineage)
    bucket.put(KEY, theirs)
    story.reacted(number, story.say(number, "/push-state staging"), "-1")
    story.is_told(number, "changed since that apply")
    assert bucket.get(KEY) == theirs
    assert bucket.names() == [KEY]
    story.reacted(number, story.say(number, "/plan staging"), "+1")
    story.planned(number)
    story.applied(number)


def test_a_lock_that_a_dead_machine_left(in_bucket: Story, bucket: Bucket) -> None:
    """It is told with its owner, and freed by a maintainer once nothing of the bot's is at work there."""
    story = in_bucket
    number = story.propose()
    story.planned(number)
    lock = LockInfo("4711", "OperationTypeApply", who="bot@dead-host", created="2026-11-23T10:00:00Z")
    bucket.put(f"{KEY}.tflock", lock.dump())
    story.reacted(number, story.say(number, "/apply staging"), "-1")
    told = story.is_told(number, "dead-host")
    assert "4711" in told
    assert "/unlock staging" in told
    story.say(number, "/unlock staging")
    story.is_told(number, "`maintain`")
    assert f"{KEY}.tflock" in bucket.names()
    story.reacted(number, story.say(number, "/unlock staging", "bob"), "+1")
    assert f"{KEY}.tflock" not in bucket.names()
    story.applied(number)
    story.is_sound()


def test_the_whole_machine_dies_over_a_bucket(in_bucket: Story, bucket: Bucket) -> None:
    """Bot, supervisor and Terraform are killed: the lock file stays, is told, and is freed by command."""
    story, marks = in_bucket, in_bucket.holds.directory
    number = story.propose({"infra/main.tf": MAIN + SLOW.replace("{marks}", str(marks))})
    story.planned(number)
    story.holds.hold("busy")
    story.say(number, "/apply staging")
    until((marks / "begun").exists, what="the middle of the apply")
    run = story.runs("apply")[-1]
    (pids,) = (story.world.directory / "data" / "journal" / run.id).glob("**/pid")
    terraform, _, supervisor, _ = pids.read_text().split()
    story.say(number, "/unlock staging", "bob")
    story.is_told(number, "right now, under this lock")
    story.world.bot.kill()
    for pid in (supervisor, terraform):
        os.kill(int(pid), signal.SIGKILL)
    story.holds.release("busy")
    story.world.bot.start()
    story.ended("apply", "interrupted")
    assert f"{KEY}.tflock" in bucket.names()
    story.reacted(number, story.say(number, "/plan staging"), "+1")
    story.planned(number)
    story.reacted(number, story.say(number, "/apply staging"), "-1")
    story.is_told(number, "is locked by")
    story.reacted(number, story.say(number, "/unlock staging", "bob"), "+1")
    story.applied(number)
    story.is_sound()


def test_a_state_moves_to_a_bucket_and_back(make_world: MakeWorld, holds: Holds, bucket: Bucket) -> None:
    world = make_world(settings=bucket.settings())
    story = Story(world, "acme/moving", FILES, holds=holds)
    number = story.propose()
    story.planned(number)
    story.applied(number)
    key = story.target().key
    to_s3 = ("state", "migrate", key, "--to", "s3", "--bucket", "states", "--json")
    assert "is locked by" in towpath(story, *to_s3, ok=False)
    story.github.merge_pull(story.repository, number, actor="ann")
    until(lambda: _claim(story) is None, what="the claim's end")
    bucket.put(f"{KEY}.tflock", LockInfo("4711", who="bob@laptop").dump())
    assert "4711" in towpath(story, *to_s3, ok=False)
    bucket.client.delete_object(Bucket="states", Key=f"{KEY}.tflock")
    bucket.put(KEY, state(99, "another"))
    assert "Another state" in towpath(story, *to_s3, ok=False)
    assert _claim(story) is None
    bucket.client.delete_object(Bucket="states", Key=KEY)
    told = json.loads(towpath(story, *to_s3))
    with story.tables() as tables:
        found = tables.states.current(key)
    assert found is not None
    version, data = found
    assert bucket.get(KEY) == data
    assert bucket.names() == [KEY]
    assert (told["serial"], told["lineage"], told["sha256"]) == (
        version.serial,
        version.lineage,
        version.sha256,
    )
    assert 'kind = "s3"' in told["policy"]
    assert "envs/environments.toml" in _claim(story).reason
    story.push({"envs/environments.toml": POLICY + told["policy"] + "\n"}, "main")
    assert "says already" in towpath(story, *to_s3, ok=False)
    second = story.propose("larger", author="bob")
    story.say(second, "/unlock staging", "carol")
    story.planned(second)
    story.reacted(second, story.say(second, "/apply staging", "bob"), "rocket")
    assert StateInfo.parse(bucket.get(KEY)).serial > version.serial
    assert StateInfo.parse(bucket.get(KEY)).lineage == version.lineage
    story.github.merge_pull(story.repository, second, actor="bob")
    until(lambda: _claim(story) is None, what="the claim's end")
    towpath(story, "state", "migrate", key, "--to", "http")
    with story.tables() as tables:
        back = tables.states.current(key)
    assert back is not None
    assert back[1] == bucket.get(KEY)


def _claim(story: Story) -> Any:
    with story.tables() as tables:
        return tables.locks.get(story.target())


def test_a_changed_backend_is_told(in_bucket: Story) -> None:
    story = in_bucket
    block = 'terraform {\n  backend "s3" {\n    key = "elsewhere"\n    secret_key = "hush"\n  }\n}\n'
    policy = (POLICY + IN_BUCKET).replace('"states"', '"others"')
    number = story.propose({"infra/backend.tf": block, "envs/environments.toml": policy})
    said = story.sees(number, "changes the `backend` block of `infra`")
    assert "key = elsewhere" in said
    assert "hush" not in said
    assert "changes where the states of `infra` are kept" in said
    assert "towpath state migrate" in said


def test_another_workspace_is_refused(make_world: MakeWorld, holds: Holds, bucket: Bucket) -> None:
    """A secret that would lead Terraform into another workspace."""
    world = make_world(settings=bucket.settings() | {"STAGING_TF_WORKSPACE": "prod"})
    files = FILES | {"envs/environments.toml": (POLICY + IN_BUCKET).encode()}
    story = Story(world, "acme/lost", files, holds=holds)
    number = story.propose()
    story.sees(number, "the workspace of staging should be `default`")
    assert bucket.names() == []


@pytest.mark.postgres
def test_the_backend_is_killed_while_terraform_writes(
    make_world: MakeWorld, holds: Holds, fresh_postgres_url: str
) -> None:
    """The web process dies in the middle of an apply by the worker, and comes back: the state is complete."""
    world = make_world(database_url=fresh_postgres_url)
    world.bot.stop()
    web = BotProcess(
        world.environment(), world.directory / "web.log", port=world.bot.port, arguments=("web",)
    )
    worker = BotProcess(
        world.environment(), world.directory / "worker.log", port=world.bot.port, arguments=("worker",)
    )
    try:
        web.start()
        worker.start()
        story = Story(world, holds=holds)
        number = story.propose({"infra/main.tf": MAIN + SLOW.replace("{marks}", str(holds.directory))})
        story.planned(number)
        holds.hold("busy")
        comment = story.say(number, "/apply staging")
        until((holds.directory / "begun").exists, what="the middle of the apply")
        web.kill()
        holds.release("busy")
        until((holds.directory / "done").exists, what="the last change, without a backend")
        time.sleep(1)  # Terraform tries to write by now, and finds nobody
        web.start()
        story.reacted(number, comment, "rocket")
        story.is_sound()
        with story.tables() as tables:
            newest = tables.states.newest(story.target().key)
        assert newest is not None
        assert newest.resources == 3
        assert not list((world.directory / "data").glob("**/errored.tfstate"))
    finally:
        worker.stop()
        web.stop()


def test_going_back_in_a_bucket(in_bucket: Story, bucket: Bucket) -> None:
    """A revert over s3: serial + 1 under the same lineage in the bucket, and every version of it kept by us."""
    story = in_bucket
    number = story.propose("medium")
    story.planned(number)
    story.applied(number)
    (key,) = [name for name in bucket.names() if name.startswith("staging/")]
    first = StateInfo.parse(bucket.get(key))
    story.push("large", "ann/change-1")
    story.planned(number)
    story.applied(number)
    second = StateInfo.parse(bucket.get(key))
    story.reacted(number, story.say(number, "/revert staging"), "+1")
    until(lambda: story.runs("plan", number)[-1].reverts != "", what="a plan of the way back")
    story.ended("plan", "planned")
    story.reacted(number, story.say(number, "/revert staging"), "rocket")
    story.sees(number, "The world is as")
    now = bucket.get(key)
    third = StateInfo.parse(now)
    assert b"staging medium" in now
    assert first.serial < second.serial < third.serial
    assert first.lineage == third.lineage
    with story.tables() as tables:
        kept = tables.states.versions(story.target().key, 10)
    assert [one.serial for one in kept] == [third.serial, second.serial, first.serial]
    story.is_sound()
