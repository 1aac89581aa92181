"""What becomes of states when their backend fails, when a machine dies over them, and when they move."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import Any

import pytest
import sqlalchemy as sa

from bot.domain.states.model import LockInfo, StateInfo
from bot.playground.bot_process import BotProcess
from bot.playground.world import World, until
from tests.contract.state_store import state
from tests.fixtures.world import MakeWorld
from tests.fork_server import ForkServer
from tests.story.bucket import Bucket
from tests.story.holds import Holds
from tests.story.story import FILES, MAIN, POLICY, Story

KEY = "staging/terraform.tfstate"
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
def bucket_world(request: pytest.FixtureRequest, bucket: Bucket) -> World:
    """A world that reaches the bucket."""
    if request.node.get_closest_marker("own_world"):
        made: World = request.getfixturevalue("make_world")(settings=bucket.settings())
    else:
        made = request.getfixturevalue("share")(**bucket.settings())
    return made


@pytest.fixture
def in_bucket(bucket_world: World, holds: Holds, bucket: Bucket) -> Story:
    """A repository whose states are in the bucket."""
    return Story(bucket_world, "acme/kept", kept_in(bucket), holds=holds)


def kept_in(bucket: Bucket) -> dict[str, bytes]:
    """Files of such a repository."""
    return FILES | {"envs/environments.toml": policy_of(bucket.name).encode()}


def policy_of(bucket: str) -> str:
    return POLICY + f'\n[stack.infra.backend]\nkind = "s3"\nbucket = "{bucket}"\n'


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
    story.sees(number, "applies are blocked until you run `/push-state staging`")
    data = story.world.directory / "data"
    assert not list(data.glob("**/errored.tfstate"))
    with story.tables() as tables:
        (kept,) = tables.unsaved.open([story.target()])
        content = tables.unsaved.data(kept.id)
    assert (kept.lineage, kept.pull, kept.login) == (before.lineage, number, "ann")
    assert kept.serial > before.serial
    with story.tables() as tables:
        mine = sa.text("SELECT file FROM unsaved WHERE id = :id").bindparams(id=kept.id)
        ((sealed,),) = tables.connection.execute(mine).all()
    assert kept.lineage.encode() in content
    assert kept.lineage.encode() not in sealed
    story.reacted(number, story.say(number, "/plan staging"), "+1")
    story.reacted(number, story.say(number, "/apply staging"), "-1")
    story.is_told(number, "the backend does not know what it changed")
    story.reacted(number, story.say(number, "/push-state staging"), "+1")
    story.is_told(number, "Pushed the state of staging")
    assert bucket.get(KEY) == content
    assert bucket.names() == [KEY]
    story.say(number, "/push-state staging")
    story.is_told(number, "staging has no state to push")
    with story.tables() as tables:
        newest = tables.states.newest(story.target().key)
    assert newest is not None
    assert (newest.sha256, newest.run_id) == (kept.sha256, run.id)
    assert {"state.unsaved", "state.pushed"} <= story.actions()
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


@pytest.mark.own_world
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
    story.is_told(number, "is running on staging under this lock")
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


def test_a_state_moves_to_a_bucket_and_back(
    bucket_world: World, holds: Holds, bucket: Bucket, fork_server: ForkServer
) -> None:
    story = Story(bucket_world, "acme/moving", FILES, holds=holds)

    def towpath(*arguments: str, ok: bool = True) -> str:
        """The operator's command line, on the bot's machine."""
        done = fork_server.run(arguments, bucket_world.environment())
        assert (done.returncode == 0) == ok, done.stderr
        return done.stdout if ok else done.stderr

    number = story.propose()
    story.planned(number)
    story.applied(number)
    key = story.target().key
    to_s3 = ("state", "migrate", key, "--to", "s3", "--bucket", bucket.name, "--json")
    assert "staging is locked: " in (locked := towpath(*to_s3, ok=False))
    assert f"#{number}" in locked
    story.github.merge_pull(story.repository, number, actor="ann")
    until(lambda: _claim(story) is None, what="the claim's end")
    bucket.put(f"{KEY}.tflock", LockInfo("4711", who="bob@laptop").dump())
    assert "4711" in towpath(*to_s3, ok=False)
    bucket.delete(f"{KEY}.tflock")
    bucket.put(KEY, state(99, "another"))
    assert "already has another state" in towpath(*to_s3, ok=False)
    assert _claim(story) is None
    bucket.delete(KEY)
    told = json.loads(towpath(*to_s3))
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
    assert "already has this backend" in towpath(*to_s3, ok=False)
    second = story.propose("larger", author="bob")
    story.say(second, "/unlock staging", "carol")
    story.planned(second)
    story.reacted(second, story.say(second, "/apply staging", "bob"), "rocket")
    assert StateInfo.parse(bucket.get(KEY)).serial > version.serial
    assert StateInfo.parse(bucket.get(KEY)).lineage == version.lineage
    story.github.merge_pull(story.repository, second, actor="bob")
    until(lambda: _claim(story) is None, what="the claim's end")
    towpath("state", "migrate", key, "--to", "http")
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
    number = story.propose({"infra/backend.tf": block, "envs/environments.toml": policy_of("others")})
    said = story.sees(number, "changes the `backend` block of `infra`")
    assert "key = elsewhere" in said
    assert "hush" not in said
    assert "changes where the states of `infra` are stored" in said
    assert "towpath state migrate" in said


def test_another_workspace_is_refused(make_world: MakeWorld, holds: Holds, bucket: Bucket) -> None:
    """A secret that would lead Terraform into another workspace."""
    world = make_world(settings=bucket.settings() | {"STAGING_TF_WORKSPACE": "prod"})
    story = Story(world, "acme/lost", kept_in(bucket), holds=holds)
    number = story.propose()
    story.sees(number, "staging belongs to workspace `default`")
    assert bucket.names() == []


@pytest.mark.postgres
def test_the_backend_is_killed_while_terraform_writes(
    make_world: MakeWorld, holds: Holds, bot_postgres_url: str
) -> None:
    """The web process dies in the middle of an apply by the worker, and comes back: the state is complete."""
    world = make_world(database_url=bot_postgres_url)
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
    story.sees(number, "staging matches `")
    now = bucket.get(key)
    third = StateInfo.parse(now)
    assert b"staging medium" in now
    assert first.serial < second.serial < third.serial
    assert first.lineage == third.lineage
    with story.tables() as tables:
        kept = tables.states.versions(story.target().key, 10)
    assert [one.serial for one in kept] == [third.serial, second.serial, first.serial]
    story.is_sound()
