"""Stacks in order: plans and applies, inputs, other pull requests, the merge queue."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.playground.bot_process import BotProcess, free_port
from bot.playground.world import World, until
from tests.fixtures.world import MakeWorld
from tests.story.holds import Holds
from tests.story.kills import Kills
from tests.story.orders import Order, app, network


def test_from_nothing_to_both(world: World, holds: Holds) -> None:
    """Nothing was ever applied: the app's plan waits for the network's apply, and then has its output. An output that looks
    like an expression reaches the app as it is."""
    story = Order(world, holds)
    number = story.both_applied("$${path.module}")
    story.is_told(number, "staging/network was applied, so staging/app is planned now", since=[])
    assert "large in ${path.module}" in story.state("app")
    assert [run.outcome for run in story.of("app", number)] == ["refused", "planned", "applied"]
    assert len(story.of("network", number)) == 2
    story.sees(number, "Staging/network and staging/app are applied")
    story.say(number, "/drift staging app")
    story.is_told(number, "no drift")
    story.is_sound()


def test_a_changed_output_is_looked_at_again(world: World, holds: Holds) -> None:
    """`/apply staging` applies both in order; the app's plan was made with another value, so it is planned again in both
    pull requests, and applied once people have seen that."""
    story = Order(world, holds)
    first = story.both_applied()
    other = story.propose(app("medium"), author="carol")
    story.ready("app", other)
    story.push({**network("vpc-2"), **app("huge")}, "ann/change-1")
    until(lambda: len(story.of("app", first, "plan")) == 3, what="the plan of the push")
    story.ready("app", first)
    story.reacted(first, story.say(first, "/apply staging app"), "-1")
    story.is_told(
        first,
        "staging/network comes before staging/app, and has changes to apply. Next: `/apply staging network`",
    )
    comment = story.say(first, "/apply staging")
    story.reacted(first, comment, "-1")
    story.is_told(
        first, "staging/network was applied and changed `network.vpc_id`, so staging/app is planned again"
    )
    story.newest("app", first, "apply", "refused", count=2)
    story.ready("app", first)
    assert "large in vpc-1" in story.state("app"), "nothing was applied that nobody has read"
    story.is_told(other, f"#{first} and changed `network.vpc_id`, so staging/app is planned again")
    story.newest("app", other, "plan", "planned", count=2)
    story.reacted(first, story.say(first, "/apply staging"), "rocket")
    assert "huge in vpc-2" in story.state("app")
    story.is_sound()


def test_both_at_once_where_no_input_changes(world: World, holds: Holds) -> None:
    """The network's change leaves its output alone: the app's plan is applied after it, as it was read."""
    story = Order(world, holds)
    number = story.both_applied()
    extra = {"network/more.tf": 'resource "terraform_data" "more" {}\n'}
    story.push({**extra, **app("huge")}, "ann/change-1")
    until(lambda: len(story.of("app", number, "plan")) == 3, what="the plan of the push")
    story.ready("app", number)
    holds.hold("apply")
    comment = story.say(number, "/apply staging")
    story.sees(number, "waiting for staging/network")
    assert len(story.of("app", number, "apply")) == 2
    holds.release("apply")
    story.reacted(number, comment, "rocket")
    story.newest("app", number, "apply", "applied", count=2)
    assert [Path(place).name for place in holds.calls("apply")[-2:]] == ["network", "app"]
    assert len(story.of("app", number, "plan")) == 3
    story.is_sound()


def test_an_apply_waits_for_one_of_another_pull_request(world: World, holds: Holds) -> None:
    story = Order(world, holds)
    story.github.merge_pull(story.repository, story.both_applied(), actor="ann")
    first = story.propose({"network/more.tf": 'resource "terraform_data" "more" {}\n'})
    second = story.propose(app("medium"), author="carol")
    story.ready("network", first)
    story.ready("app", second)
    holds.hold("apply")
    begun = story.say(first, "/apply staging network")
    holds.await_call("apply", 3)
    waits = story.say(second, "/apply staging app", "carol")
    story.is_told(second, f"after the apply of staging/network for #{first}")
    story.sees(second, "waiting for staging/network")
    assert len(holds.calls("apply")) == 3
    holds.release("apply")
    story.reacted(first, begun, "rocket")
    story.reacted(second, waits, "rocket")
    assert "medium in vpc-1" in story.state("app")
    story.is_sound()


def test_a_failed_plan_stops_the_next(world: World, holds: Holds) -> None:
    story = Order(world, holds)
    number = story.propose({"network/more.tf": "locals {\n  x = var.missing\n}\n", **app("large")})
    story.newest("network", number, "plan", "failed")
    run = story.newest("app", number, "plan", "refused")
    assert run.message == "Not planned: the plan of staging/network failed, and staging/app comes after it."
    story.sees(number, "the plan of staging/network failed, and staging/app comes after it")
    checks = story.github.checks_on(story.repository, story.head(number))
    assert checks["towpath/staging/app"][1] == "action_required"


def test_the_merge_queue_gets_the_checks_of_all_stacks(world: World, holds: Holds) -> None:
    """The group's check of the app waits for its plan, which waits for the network's."""
    story = Order(world, holds)
    story.both_applied()
    holds.hold("plan")
    number = story.propose({**network("vpc-2"), **app("medium")}, author="carol")
    holds.await_call("plan", 3)
    group = story.github.queue_pull(story.repository, number, actor="carol")
    names = ("towpath/staging/network", "towpath/staging/app")

    def shown() -> list[tuple[str, str | None]]:
        checks = story.github.checks_on(story.repository, group)
        return [checks.get(name, ("", None, ""))[:2] for name in names]

    until(lambda: shown() == [("in_progress", None)] * 2, what=f"both checks on the group: {shown()}")
    holds.release("plan")
    until(lambda: shown() == [("completed", "success")] * 2, what=f"their ends: {shown()}")


@pytest.mark.own_world
def test_killed_in_between(make_world: MakeWorld, holds: Holds, tmp_path: Path) -> None:
    """Killed when the network's apply has ended, when the app's next plan was requested and nobody told, and when the app's
    waiting apply was started: each is done, once."""
    kills = Kills(tmp_path)
    world = make_world(settings=kills.settings)
    story = Order(world, holds)
    number = story.propose({**network("vpc-1"), **app("large")})
    story.ready("network", number)
    story.newest("app", number, "plan", "refused")

    killed(story, kills, number, "replans:")
    story.newest("app", number, "plan", "planned", count=2)
    told = "staging/network was applied, so staging/app is planned now"
    story.is_told(number, told)
    story.ready("app", number)
    story.reacted(number, story.say(number, "/apply staging"), "rocket")

    story.push({**network("vpc-2"), **app("huge")}, "ann/change-1")
    until(lambda: len(story.of("app", number, "plan")) == 3, what="the plan of the push")
    story.ready("app", number)
    killed(story, kills, number, "INSERT INTO runs .*upstream:")
    story.newest("app", number, "plan", "planned", count=4)
    again = "staging/network was applied and changed `network.vpc_id`, so staging/app is planned again"
    story.is_told(number, again)
    story.ready("app", number)
    story.reacted(number, story.say(number, "/apply staging"), "rocket")

    extra = {"network/more.tf": 'resource "terraform_data" "more" {}\n'}
    story.push({**extra, **app("giant")}, "ann/change-1")
    until(lambda: len(story.of("app", number, "plan")) == 5, what="the plan of the push")
    story.ready("app", number)
    killed(story, kills, number, 'UPDATE runs SET "?after"?=')
    story.newest("app", number, "apply", "applied", count=4)
    assert "giant in vpc-2" in story.state("app")
    assert [sum(text in answer for answer in story.answers(number)) for text in (told, again)] == [1, 1]
    story.is_sound()


def killed(story: Order, kills: Kills, number: int, words: str) -> None:
    """`/apply staging`, during which the bot is killed after the transaction with these words, and started again."""
    kills.at("after", words)
    story.say(number, "/apply staging")
    kills.await_death(story.world, f"after {words}")
    story.world.bot.start()


@pytest.mark.postgres
def test_two_workers(make_world: MakeWorld, holds: Holds, bot_postgres_url: str) -> None:
    """Whoever ends the network's runs, the app's follow them, and once."""
    world = make_world(database_url=bot_postgres_url)
    worker = BotProcess(
        world.environment(port=free_port(), TOWPATH_PUBLIC_URL=world.bot.url, TOWPATH_WORKER_NAME="second"),
        world.directory / "second.log",
        port=0,
        arguments=("worker",),
    )
    world.bots.append(worker)
    worker.start()
    story = Order(world, holds)
    number = story.both_applied()
    extra = {"network/more.tf": 'resource "terraform_data" "more" {}\n'}
    story.push({**extra, **app("huge")}, "ann/change-1")
    until(lambda: len(story.of("app", number, "plan")) == 3, what="the plan of the push")
    story.ready("app", number)
    story.reacted(number, story.say(number, "/apply staging"), "rocket")
    story.newest("app", number, "apply", "applied", count=2)
    assert [Path(place).name for place in holds.calls("apply")] == ["network", "app"] * 2
    story.is_sound()
