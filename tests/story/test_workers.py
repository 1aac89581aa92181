"""Several processes on one Postgres: each run once, and a dead worker's work taken over by the others."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from bot.jobs.durable import PLANS, POLL
from bot.playground.bot_process import BotProcess, free_port
from bot.playground.world import World, until
from bot.settings import Settings
from bot.storage.engines import open_engine
from tests.fixtures.world import MakeWorld
from tests.story.holds import Holds
from tests.story.story import Story

pytestmark = pytest.mark.postgres
SLOTS = Settings.model_fields["slots"].default


@pytest.fixture
def pair(make_world: MakeWorld, holds: Holds, bot_postgres_url: str) -> tuple[Story, BotProcess]:
    """A story whose first bot is `towpath up`; the second process is a `towpath worker` that can be killed."""
    world = make_world(database_url=bot_postgres_url)
    worker = BotProcess(
        world.environment(port=free_port(), TOWPATH_PUBLIC_URL=world.bot.url, TOWPATH_WORKER_NAME="second"),
        world.directory / "second.log",
        port=0,
        arguments=("worker",),
    )
    world.bots.append(worker)
    worker.start()
    until(lambda: "second" in workers(world), what="the second worker's first heartbeat")
    until(lambda: plans_at_once(world) == SLOTS, what="the end of preparing plans ahead")
    time.sleep(2 * POLL)  # after which the first worker goes by it too
    return Story(world, holds=holds), worker


def test_each_run_once(pair: tuple[Story, BotProcess]) -> None:
    """Six pull requests at once, two workers: one comment, one plan, one check each."""
    story, _worker = pair
    numbers = [story.propose(f"size-{number}") for number in range(6)]
    for number in numbers:
        story.planned(number)
    story.applied(numbers[0])
    story.is_sound()
    assert [run.outcome for run in story.runs("plan")] == ["planned"] * 6
    assert len(story.holds.calls("plan")) == 6
    assert len(story.holds.calls("apply")) == 1
    for number in numbers:
        assert len(story.comments(number)) == 1
        assert len(story.entries(number, "check")) == 1


def test_a_dead_worker(pair: tuple[Story, BotProcess]) -> None:
    """The worker that plans is killed. Once it is silent for long enough the other one takes its plan over."""
    story, worker = pair
    story.holds.hold("plan")
    numbers = []
    while not any(run.worker == "second" and run.phase == "planning" for run in story.runs("plan")):
        numbers.append(story.propose(f"size-{len(numbers)}"))
        until(lambda: len(story.holds.calls("plan")) == len(numbers), what="the plan's start")
    worker.kill()
    story.holds.release("plan")
    silence(story.world, "second")
    for number in numbers:
        story.planned(number)
    until(lambda: "second" not in workers(story.world), what="the end of the dead worker's row")
    story.is_sound()
    assert {run.outcome for run in story.runs("plan")} == {"planned"}
    assert {run.worker for run in story.runs("plan")} - {"second"}
    story.applied(numbers[-1])


def plans_at_once(world: World) -> int:
    """How many plans each worker takes: DBOS's row, which the workers read at each poll."""
    engine = open_engine(world.environment()["TOWPATH_DATABASE_URL"])
    with engine.connect() as connection:
        statement = sa.text("SELECT worker_concurrency FROM dbos.queues WHERE name = :name")
        found = connection.scalar(statement, {"name": PLANS})
    engine.dispose()
    return int(found or 0)


def workers(world: World) -> set[str]:
    """The workers that the database knows."""
    engine = open_engine(world.environment()["TOWPATH_DATABASE_URL"])
    with engine.connect() as connection:
        found = set(connection.scalars(sa.text("SELECT name FROM workers")))
    engine.dispose()
    return found


def silence(world: World, name: str) -> None:
    """Let a worker's last heartbeat be long ago, so that nobody has to wait for it."""
    engine = open_engine(world.environment()["TOWPATH_DATABASE_URL"])
    with engine.begin() as connection:
        statement = sa.text("UPDATE workers SET seen_at = :then WHERE name = :name")
        assert connection.execute(
            statement, {"then": datetime(2020, 1, 1, tzinfo=UTC), "name": name}
        ).rowcount
    engine.dispose()
