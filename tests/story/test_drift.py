"""Drift: the world changes behind Terraform's back; it is told once a change, by a schedule or to who asks."""

from __future__ import annotations

import pytest

from bot.playground.world import World, until
from tests.fixtures.world import MakeWorld
from tests.story.drifts import Drifting, rounds
from tests.story.holds import Holds
from tests.story.test_slack import whispered


@pytest.mark.long
def test_each_change_is_told_once(
    make_world: MakeWorld, holds: Holds, both_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody resizes a server by hand: `/drift` tells it, the schedule does not tell it again, and tells once that it
    was mended."""
    world = make_world(database_url=both_url)
    story = Drifting(world, holds, every="5m")
    number = story.released()
    story.asks(number, "no drift")
    assert story.findings() == []
    story.resize("xl")
    said = story.asks(number, "1 resource changed outside Terraform, 1 change pending")
    assert '"m" -> "xl"' in said
    assert '"xl" -> "m"' in said
    assert f"`{story.head(number)[:7]}`" in said
    story.sees(number, "⚠️ drift: 1 resource changed outside Terraform, 1 change pending")
    until(
        lambda: story.channel("staging has drifted: 1 resource changed outside Terraform"),
        what="the message in Slack",
    )
    with rounds(world, monkeypatch) as schedule:

        def look() -> None:
            known = len(story.looks())
            assert schedule.turn() == 1
            assert schedule.again() == 0
            until(lambda: len(story.looks()) == known + 1, what="the look")
            run = story.ended("drift", "checked")
            assert (run.pull, run.actor.via) == (0, "system")

        look()
        assert [one.headline for one in story.findings()] == [
            "1 resource changed outside Terraform, 1 change pending"
        ]
        story.resize("m")
        look()
        look()
    until(lambda: story.channel("staging: no drift"), what="that it was mended")
    until(lambda: "drift" not in story.status(number), what="the row without drift")
    assert [one.clean for one in story.findings()] == [False, True]
    said = story.asks(number, "no drift")
    assert "Unchanged since" in said
    assert "1 resource changed outside Terraform, 1 change pending" in said, "the history"
    assert len(story.channel("staging: no drift|staging has drifted")) == 2
    story.is_sound()
    with story.tables() as tables:
        of_nobody = tables.surfaces.of_pull(story.repository, 0)
        asked = [one for one in tables.audit.entries() if one.action.startswith("drift")]
    assert of_nobody == []
    assert [(one.action, one.login) for one in asked] == [("drift.asked", "ann")] * 3
    assert len(story.holds.calls("apply")) == 1, "nothing is applied by itself"
    assert not list((world.directory / "data").rglob("*.tfplan"))


@pytest.mark.long
@pytest.mark.own_world
def test_what_is_never_the_same_twice(world: World, holds: Holds, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock in the configuration: it is told once, however often the schedule looks, and stays in the history."""
    story = Drifting(world, holds, every="5m")
    clock = b'\nresource "terraform_data" "clock" {\n  input = [plantimestamp(), timestamp()]\n}\n'
    number = story.propose({"infra/main.tf": story.main("m") + clock})
    story.planned(number)
    story.applied(number)
    with rounds(world, monkeypatch) as schedule:
        for turn in range(3):
            assert schedule.turn() == 1
            until(lambda turn=turn: len(story.looks()) == turn + 1, what="the look")  # type: ignore[misc]
            story.ended("drift", "checked")
        story.resize("xl")
        assert schedule.turn() == 1
        until(
            lambda: story.channel(
                "staging has drifted: 1 resource changed outside Terraform, 2 changes pending"
            ),
            what="what is new",
        )
    assert [one.headline for one in story.findings()] == [
        "1 change pending",
        "1 resource changed outside Terraform, 2 changes pending",
    ]
    assert len(story.channel("staging has drifted")) == 2
    assert "Latest reports" in story.asks(number, "1 resource changed outside Terraform, 2 changes pending")


def test_after_a_revert(world: World, holds: Holds) -> None:
    """What counts is the release that it went back to; and an apply clears what was found before it."""
    story = Drifting(world, holds)
    first = story.released("m")
    story.closed(first)
    second = story.released("l")
    story.resize("xl")
    story.asks(second, "1 resource changed outside Terraform, 1 change pending")
    story.sees(second, "⚠️ drift")
    story.say(second, "/revert staging")
    story.sees(second, "`/revert staging`")
    story.reacted(second, story.say(second, "/revert staging"), "rocket")
    story.sees(second, "on hold at")
    until(lambda: "drift" not in story.status(second), what="the row without drift")
    said = story.asks(second, "no drift")
    assert f"`{story.head(first)[:7]}`" in said
    story.resize("l")
    assert '"l" -> "m"' in story.asks(second, "1 resource changed outside Terraform, 1 change pending")
    story.is_sound()


@pytest.mark.own_world
def test_killed_while_it_looks(world: World, holds: Holds) -> None:
    """It looks again, and answers once."""
    story = Drifting(world, holds)
    number = story.released()
    story.resize("xl")
    before = len(holds.calls("plan"))
    holds.hold("plan")
    comment = story.say(number, "/drift staging")
    holds.await_call("plan", before + 1)
    world.bot.kill()
    holds.release("plan")
    world.bot.start()
    story.reacted(number, comment, "+1")
    story.is_told(number, "1 resource changed outside Terraform")
    story.is_sound()
    assert [run.outcome for run in story.looks()] == ["checked"]
    assert len(story.answers(number)) == 1
    assert len(story.findings()) == 1
    until(lambda: story.channel("staging has drifted"), what="the message in Slack")
    assert len(story.channel("staging has drifted")) == 1


def test_who_may_ask_and_who_waits(world: World, holds: Holds) -> None:
    """Nothing is deployed yet; no write; cancelled; and from Slack, where the answer is the report."""
    story = Drifting(world, holds)
    number = story.propose({"infra/main.tf": story.main("m")})
    story.planned(number)
    story.reacted(number, story.say(number, "/drift staging"), "-1")
    story.is_told(number, "Nothing was ever applied to staging")
    story.reacted(number, story.say(number, "/drift staging", "dave"), "-1")
    story.is_told(number, "`write`")
    story.applied(number)
    plans = len(holds.calls("plan"))
    holds.hold("plan")
    comment = story.say(number, "/drift staging")
    holds.await_call("plan", plans + 1)
    story.sees(number, "checking for drift")
    story.say(number, "/cancel")
    story.reacted(number, comment, "-1")
    holds.release("plan")
    story.is_told(number, "No drift result for staging: The drift check was stopped")
    story.resize("xl")
    world.slack.slash("ann", "#infra", f"drift staging {story.repository}")
    until(lambda: story.channel("staging has drifted"), what="the answer in Slack")
    until(
        lambda: story.channel("⚠️ drift: 1 resource changed outside Terraform, 1 change pending"),
        what="the card with it",
    )
    assert len(story.findings()) == 1
    assert len(story.channel("staging has drifted")) == 1
    world.slack.slash("bob", "#infra", f"status {story.repository}")
    whispered(story, "bob", "⚠️ drift: 1 resource changed outside Terraform, 1 change pending")
    story.is_sound()


def test_behind_an_apply(world: World, holds: Holds) -> None:
    """A look that is asked for during an apply waits for it; one that an apply overtakes means nothing."""
    story = Drifting(world, holds)
    story.closed(story.released())
    other = story.propose({"infra/main.tf": story.main("l")}, author="bob")
    story.planned(other)
    plans = len(holds.calls("plan"))
    holds.hold("plan")
    comment = story.say(other, "/drift staging")
    holds.await_call("plan", plans + 1)
    holds.hold("apply")
    applies = len(holds.calls("apply"))
    applied = story.say(other, "/apply staging", "bob")
    holds.await_call("apply", applies + 1)
    holds.release("plan")
    story.reacted(other, comment, "+1")
    story.is_told(other, "started during the check")
    waiting = story.say(other, "/drift staging", "bob")
    until(lambda: len(story.looks()) == 2, what="the look that waits")
    assert story.looks()[1].phase == "queued"
    holds.release("apply")
    story.reacted(other, waiting, "+1")
    assert f"`{story.head(other)[:7]}`" in story.is_told(other, "staging: no drift")
    story.reacted(other, applied, "rocket")
    assert story.findings() == []
    story.is_sound()
