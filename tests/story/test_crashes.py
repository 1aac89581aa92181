"""The bot killed (-9) at each step, and started again: what was under way ends, once, and says how."""

from __future__ import annotations

import os
import signal

import pytest
import sqlalchemy as sa

from bot.playground.bot_process import BotProcess
from bot.playground.world import World, until
from bot.storage.engines import open_engine
from tests.fixtures.world import MakeWorld
from tests.story.holds import Holds
from tests.story.story import MAIN, Story

pytestmark = pytest.mark.own_world
SLOW = """
resource "terraform_data" "after" {
  depends_on = [terraform_data.slow]
}
resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "touch '{marks}/begun'; while [ -e '{marks}/busy' ]; do sleep 0.05; done"
  }
}
"""


def again(world: World) -> None:
    """Kill the bot and start it."""
    world.bot.kill()
    world.bot.start()


def taken_in(world: World) -> BotProcess:
    """Only the web process runs: deliveries are kept, and nothing is done about them."""
    world.bot.kill()
    return BotProcess(
        world.environment(), world.directory / "web.log", port=world.bot.port, arguments=("web",)
    ).start()


def test_before_dispatch(story: Story, world: World) -> None:
    """Between intake and the queue: the pull request and a command are taken in by a process that is then killed."""
    web = taken_in(world)
    number = story.propose()
    story.github.webhooks.drain()
    web.kill()
    assert story.runs() == []
    world.bot.start()
    story.planned(number)
    web = taken_in(world)
    comment = story.say(number, "/apply staging")
    story.github.webhooks.drain()
    web.kill()
    world.bot.start()
    story.reacted(number, comment, "rocket")
    story.is_sound()
    assert len(story.holds.calls("apply")) == 1
    assert len(story.comments(number)) == 1


@pytest.mark.parametrize("step", ["init", "plan", "show"])
def test_during_a_plan(story: Story, world: World, step: str) -> None:
    """The plan is made again, and arrives once."""
    story.holds.hold(step)
    number = story.propose()
    story.holds.await_call(step)
    world.bot.kill()
    story.holds.release(step)
    world.bot.start()
    story.planned(number)
    assert [run.outcome for run in story.runs()] == ["planned"]
    story.applied(number)
    story.is_sound()
    assert len(story.comments(number)) == 1
    assert len(story.entries(number, "check")) == 1


def test_a_queued_plan(make_world: MakeWorld, holds: Holds) -> None:
    """One slot, two pull requests: the second's plan waits in the queue when the bot is killed."""
    world = make_world(settings={"TOWPATH_SLOTS": "1"})
    story = Story(world, holds=holds)
    holds.hold("plan")
    first = story.propose("medium")
    holds.await_call("plan")
    second = story.propose("large", author="bob")
    until(lambda: story.runs("plan", second), what="the second plan in the queue")
    again(world)
    holds.release("plan")
    story.planned(first)
    story.planned(second)
    story.is_sound()
    assert [run.outcome for run in story.runs()] == ["planned", "planned"]


def test_an_apply_that_has_not_begun(story: Story, world: World) -> None:
    """Killed while it was prepared: nothing was applied, so it is applied now."""
    number = story.propose()
    story.planned(number)
    web = taken_in(world)
    comment = story.say(number, "/apply staging")
    story.github.webhooks.drain()
    web.kill()
    world.bot.start()
    story.awaits("apply", "queued", "preparing")
    again(world)
    story.reacted(number, comment, "rocket")
    story.is_sound()
    assert len(story.holds.calls("apply")) == 1


def test_an_apply_before_its_first_change(story: Story, world: World) -> None:
    """Killed when Terraform had started and not touched anything: it is told, not repeated, and the lock is kept."""
    number = story.propose()
    story.planned(number)
    story.holds.hold("apply")
    comment = story.say(number, "/apply staging")
    story.holds.await_call("apply")
    world.bot.kill()
    story.holds.release("apply")
    world.bot.start()
    _interrupted_and_finished(story, number, comment)


def test_an_apply_in_the_middle(story: Story, world: World) -> None:
    """Killed while Terraform changes things: it ends what it has begun, the state is kept, and nothing is repeated."""
    marks = story.holds.directory
    number = story.propose({"infra/main.tf": MAIN + SLOW.replace("{marks}", str(marks))})
    story.planned(number)
    story.holds.hold("busy")
    comment = story.say(number, "/apply staging")
    until((marks / "begun").exists, what="the middle of the apply")
    world.bot.kill()
    world.bot.start()
    story.holds.release("busy")
    _interrupted_and_finished(story, number, comment)


def _interrupted_and_finished(story: Story, number: int, comment: int) -> None:
    """What people see of an apply whose worker died, and how they go on."""
    story.reacted(number, comment, "-1")
    run = story.ended("apply", "interrupted")
    assert "not repeated automatically" in run.message
    with story.tables() as tables:
        lock = tables.locks.get(story.target())
    assert lock is not None
    assert (lock.pull, lock.actor.login) == (number, "ann")
    story.sees(number, "/plan staging")
    story.is_sound()
    assert len(story.holds.calls("apply")) == 1
    story.reacted(number, story.say(number, "/plan staging"), "+1")
    story.planned(number)
    story.applied(number)
    story.is_sound()
    assert len(story.holds.calls("apply")) == 2
    assert len(story.comments(number)) == 1


@pytest.mark.postgres
def test_after_terraform_has_ended(make_world: MakeWorld, holds: Holds, bot_postgres_url: str) -> None:
    """Killed when Terraform had applied everything and nothing of it was written down yet: it counts as applied."""
    world = make_world(database_url=bot_postgres_url)
    story = Story(world, holds=holds)
    number = story.propose()
    story.planned(number)
    holds.hold("apply")
    comment = story.say(number, "/apply staging")
    holds.await_call("apply")
    engine = open_engine(bot_postgres_url)
    with engine.begin() as connection:
        connection.execute(sa.text("LOCK TABLE releases IN ACCESS EXCLUSIVE MODE"))
        holds.release("apply")
        journals = world.directory / "data" / "journal"
        run = story.awaits("apply", "applying", "recording")
        until(lambda: list((journals / run.id).glob("**/exit")), what="Terraform's end")
        world.bot.kill()
    engine.dispose()
    world.bot.start()
    story.reacted(number, comment, "rocket")
    assert story.ended("apply", "applied").id == run.id
    story.is_sound()
    assert len(holds.calls("apply")) == 1
    with story.tables() as tables:
        assert tables.releases.newest(story.target()) is not None


def test_the_whole_machine(story: Story, world: World) -> None:
    """Bot, supervisor and Terraform die at once, with the state locked: nobody has to unlock it by hand."""
    marks = story.holds.directory
    number = story.propose({"infra/main.tf": MAIN + SLOW.replace("{marks}", str(marks))})
    story.planned(number)
    story.holds.hold("busy")
    comment = story.say(number, "/apply staging")
    until((marks / "begun").exists, what="the middle of the apply")
    run = story.runs("apply")[-1]
    (pids,) = (world.directory / "data" / "journal" / run.id).glob("**/pid")
    terraform, _, supervisor, _ = pids.read_text().split()
    world.bot.kill()
    for pid in (supervisor, terraform):
        os.kill(int(pid), signal.SIGKILL)
    story.holds.release("busy")
    world.bot.start()
    _interrupted_and_finished(story, number, comment)
