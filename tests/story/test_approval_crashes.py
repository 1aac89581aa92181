"""The bot killed (-9) at each step between the last word and the end of the apply; and two workers at once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.domain.approvals import Decision
from bot.playground.bot_process import BotProcess, free_port
from bot.playground.world import World, until
from bot.storage.database import Database
from bot.vault import Vault
from tests.fixtures.world import MakeWorld
from tests.story.holds import Holds
from tests.story.production import CHANNEL, CHECK, Production, at_once, other
from tests.story.test_crashes import SLOW, again, taken_in
from tests.story.test_workers import workers

pytestmark = pytest.mark.own_world
TWO = 'approvals = { count = 2, expires = "1h" }'


def test_a_word_that_was_taken_in(world: World, holds: Holds) -> None:
    """Killed between intake and the queue: the click and the comment are heard after the start, and it is applied."""
    story = Production(world, holds, prod=TWO)
    number = story.promoted()
    story.asks(number, "when-approved")
    posted = story.asked_in_slack(number)
    web = taken_in(world)
    story.say(number, "/approve prod", "carol")
    world.slack.click("bob", CHANNEL, posted.ts, "modal:approve")
    story.github.webhooks.drain()
    web.kill()
    assert story.decisions(number) == []
    world.bot.start()
    story.awaits_prod()
    assert sorted(story.decisions(number)) == [("bob", "approve"), ("carol", "approve")]
    story.is_sound()
    assert len(story.on_prod()) == 1


def test_a_word_that_was_kept(world: World, holds: Holds) -> None:
    """Killed after the last word was written down and before anything came of it: the clock takes it up, once."""
    story = Production(world, holds)
    number = story.promoted()
    asked = story.asks(number, "when-approved")
    world.bot.kill()
    environment = world.environment()
    database = Database(
        f"sqlite:///{environment['TOWPATH_DATA_DIR']}/towpath.db", Vault(environment["TOWPATH_SECRET_KEY"])
    )
    word = Decision("word", asked.id, "bob", "approve", "", "slack", datetime.now(UTC), role="maintain")
    with database.begin() as tables:
        assert tables.approvals.decide(word)
    database.close()
    world.bot.start()
    story.awaits_prod()
    again(world)
    story.refused(number, "/apply prod", "already applied")
    story.is_sound()
    assert len(story.on_prod()) == 1


def test_an_apply_that_has_not_begun(make_world: MakeWorld, holds: Holds) -> None:
    """Killed while it waits for a slot: the consent is not used yet, and it is applied after the start."""
    world = make_world(settings={"TOWPATH_SLOTS": "1"})
    story = Production(world, holds)
    number = story.promoted()
    approval = story.asks(number, "when-approved")
    story.is_held_up()
    story.accepted(number, "/approve prod", "nothing else is needed")
    until(lambda: story.runs("apply")[-1].approval == approval.id, what="an apply in the queue")
    world.bot.kill()
    assert story.approvals(number)[-1].status == "open"
    holds.release("apply")
    world.bot.start()
    assert story.awaits_prod().approval == approval.id
    story.over(number, "used")
    story.is_sound()
    assert len(story.on_prod()) == 1


@pytest.mark.parametrize("step", ["before its first change", "in the middle"])
def test_an_apply_that_has_begun(world: World, holds: Holds, step: str) -> None:
    """It is told as interrupted and not repeated. Its consent is used: going on needs a plan and consent of its own."""
    story = Production(world, holds)
    marks = holds.directory
    number = story.promoted(other("large", SLOW.replace("{marks}", str(marks))))
    (marks / "begun").unlink()
    first = story.asks(number, "when-approved")
    applies = len(holds.calls("apply"))
    holds.hold("apply" if step.startswith("before") else "busy")
    story.accepted(number, "/approve prod", "nothing else is needed")
    if step.startswith("before"):
        holds.await_call("apply", applies + 1)
    else:
        until((marks / "begun").exists, what="the middle of the apply")
    assert story.over(number, "used").id == first.id
    world.bot.kill()
    world.bot.start()
    holds.release("apply")
    holds.release("busy")
    story.ended("apply", "interrupted")
    story.refused(number, "/approve prod", "was used")
    story.refused(number, "/apply prod", "used by an apply that failed")
    assert len(holds.calls("apply")) == applies + 1
    story.reacted(number, story.say(number, "/plan prod"), "+1")
    story.planned(number, "prod")
    second = story.asks(number)
    assert second.id != first.id
    assert story.decisions(number) == []
    story.accepted(number, "/approve prod", "nothing else is needed")
    assert story.goes(number).approval == second.id
    story.is_sound()


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_while_it_is_verified(world: World, holds: Holds, environment: str) -> None:
    """Killed while the smoke checks run, twice: it counts as applied, the release is verified in the end, and goes on."""
    (holds.directory / "check").write_text(CHECK.format(directory=holds.directory))
    check = (
        f'smoke = [{{ command = "/bin/sh \'{holds.directory}/check\'", within = "60s", timeout = "60s" }}]\n'
    )
    consent = 'approvals = { count = 1, expires = "1h" }\n'
    lines = {"staging": "", "prod": consent}
    lines[environment] += check
    story = Production(world, holds, staging=lines["staging"], prod=lines["prod"])
    checks = holds.directory / "checks"
    number = story.propose()
    story.planned(number)
    if environment == "prod":
        story.on_staging(number)
        story.asks(number, "when-approved")
    holds.hold("smoke")
    if environment == "prod":
        story.accepted(number, "/approve prod", "nothing else is needed")
    else:
        story.say(number, "/apply staging")
    for times in (1, 2):
        await_check(checks, times)
        assert story.awaits("apply", "verifying").target.environment == environment
        assert story.released(environment).verification == "running"
        again(world)
    await_check(checks, 3)
    applies = len(holds.calls("apply"))
    holds.release("smoke")
    story.ended("apply", "applied")
    release = story.released(environment)
    assert release.verification == "passed"
    assert len(release.checks) == 1
    if environment == "prod":
        used = story.over(number, "used")
        assert release.approval == used.id
    else:
        story.asks(number, "when-approved")
        story.accepted(number, "/approve prod", "nothing else is needed")
        story.awaits_prod()
        applies += 1
    assert len(holds.calls("apply")) == applies
    story.is_sound()


@pytest.mark.postgres
def test_two_workers(make_world: MakeWorld, holds: Holds, bot_postgres_url: str) -> None:
    """Words on three ways at once, two processes that work: one apply, of one consent."""
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
    story = Production(world, holds, prod=TWO)
    number = story.promoted()
    story.asks(number, "when-approved")
    posted = story.asked_in_slack(number)
    at_once(
        lambda: story.review(number, "bob"),
        lambda: story.say(number, "/approve prod", "carol"),
        lambda: world.slack.click("bob", CHANNEL, posted.ts, "modal:approve"),
        lambda: world.slack.click("carol", CHANNEL, posted.ts, "modal:approve"),
        lambda: story.say(number, "/apply prod"),
    )
    story.awaits_prod()
    applies = len(holds.calls("apply"))
    assert applies == 2
    story.is_sound()
    assert len(story.on_prod()) == 1
    assert len(story.audit("approval.used")) == 1


def await_check(checks: Path, times: int) -> None:
    until(lambda: tried(checks) >= times, what=f"smoke check {times}")


def tried(checks: Path) -> int:
    """How often the smoke check was begun."""
    return len(checks.read_text().splitlines()) if checks.exists() else 0
