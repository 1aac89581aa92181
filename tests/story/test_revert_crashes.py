"""The bot killed (-9) at each step of a revert: A or B stands there, what people read is true, nothing is done twice, and
the next command finishes the job."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.domain.run import Run, unfinished
from bot.domain.states.model import StateVersion
from bot.playground.world import until
from tests.fixtures.world import MakeWorld
from tests.story.bucket import Bucket
from tests.story.going_back import OLD, A, B, GoingBack, configured
from tests.story.holds import Holds
from tests.story.kills import Kills, Point
from tests.story.revert_steps import ACCEPTED, BEGUN, LIFTED, LOOKED, PLANNED, PROVEN, REWOUND
from tests.story.test_approval_crashes import await_check

pytestmark = [pytest.mark.timeout(600), pytest.mark.long]
"""Seconds: a bot is started some twenty times."""


@pytest.fixture
def back(make_world: MakeWorld, holds: Holds, tmp_path: Path) -> GoingBack:
    """A stands there."""
    kills = Kills(tmp_path)
    return GoingBack(make_world(settings=kills.settings), holds, kills)


def test_a_revert_a_look_and_the_end_of_its_hold(back: GoingBack) -> None:
    """One revert, killed before and after each thing that it writes down, and while it is checked; then `/drift` and
    `/unhold` likewise."""
    back.goes_on()
    before = back.state()[0].serial
    comment = back.killed_at(PLANNED, lambda: back.say(back.number, "/revert staging"), B)
    back.reacted(back.number, comment, "+1")
    back.way_is_planned()
    assert "run the command shown in the table" in back.answer("Planning a revert of staging")
    assert [run.reverts for run in back.runs("plan")].count("") == len(back.runs("plan")) - 1
    back.stands(B)

    back.holds.hold("smoke")
    checks = back.holds.directory / "checks"
    known = len(checks.read_text().splitlines())
    comment = back.killed_at(BEGUN, lambda: back.say(back.number, "/revert staging"), B, B, B, A, A, A)
    await_check(checks, known + 1)
    back.stands(A)
    assert back.awaits("apply", "verifying").reverts

    def go_on() -> int:
        back.world.bot.kill()
        back.world.bot.start()
        await_check(checks, known + 2)
        back.holds.release("smoke")
        return comment

    back.killed_at(PROVEN, go_on, A)
    back.reacted(back.number, comment, "rocket")
    assert "on hold at" in back.sees(back.number, "matches `")
    assert len(back.holds.calls("apply")) == 3, "A, B and once back"
    is_back(back, before + 1)

    comment = back.killed_at(LOOKED, lambda: back.say(back.number, "/drift staging"), A)
    back.reacted(back.number, comment, "+1")
    back.answer("staging: no drift")
    assert [run.outcome for run in back.runs("drift")] == ["checked"]

    is_lifted(back, LIFTED)


def is_lifted(back: GoingBack, points: Sequence[Point]) -> None:
    """The hold, once, by an `/unhold` that is killed at each of these points."""
    comment = back.killed_at(points, lambda: back.say(back.number, "/unhold staging"), A)
    back.reacted(back.number, comment, "+1")
    back.answer("is not on hold")
    with back.tables() as tables:
        assert tables.holds.get(back.target()) is None
        assert [one.action for one in tables.audit.entries()].count("hold.lifted") == 1
    back.is_sound()


def is_back(back: GoingBack, serial: int) -> None:
    """A stands there, by one release that is tied to its state and to its hold."""
    back.is_sound()
    back.stands(A)
    version, _state = back.state()
    with back.tables() as tables:
        now, hold = tables.releases.newest(back.target()), tables.holds.get(back.target())
    assert now is not None
    assert now.active
    assert now.verified
    assert now.reverts
    assert (version.serial, version.release, version.reverts) == (serial, now.id, now.reverts)
    assert hold is not None
    assert (hold.run_id, hold.commit) == (now.run_id, now.commit)


def interrupted(back: GoingBack, comment: int) -> str:
    """What people read of a revert that was killed in its Terraform; the command that it names."""
    back.reacted(back.number, comment, "-1")
    run = back.ended("apply", "interrupted")
    assert "during this revert; it is not repeated automatically" in run.message
    back.is_sound()
    with back.tables() as tables:
        release = tables.releases.newest(back.target())
    assert release is not None
    assert not release.active, "nobody knows what stands there"
    back.sees(back.number, "revert interrupted")
    (named,) = set(re.findall(r"`(/[^`]+)`", f"{run.next_step} {row(back)}"))
    return str(named)


def row(back: GoingBack) -> str:
    """The environment's row of the status comment."""
    return next(line for line in back.status(back.number).splitlines() if line.startswith("| **staging**"))


def test_half_way_there_and_half_way_back(back: GoingBack) -> None:
    """An apply breaks in the middle, and each way back from there is killed: before Terraform began, before its first
    change, in the middle. Then the revert of the revert is. The command that is named goes on each time."""
    cloud = back.world.clouds["staging"]
    with back.tables() as tables:
        first = tables.releases.newest(back.target())
    back.proposes(configured("m", OLD.replace('"old"', '"new"')))
    cloud.faults({"create:playground_server.new": "500: out of servers"})
    back.asks("/apply staging", "-1")
    back.stands(B)
    cloud.faults({})

    words = "/revert staging"
    for step in ("before it", "before its first change", "in the middle"):
        back.asks(words, "+1")
        way = back.way_is_planned()
        assert first is not None
        assert way.reverts == first.id
        comment = killed_in_terraform(back, step)
        words = interrupted(back, comment)
        assert words == "/revert staging"
        back.stands({"web": "s"} if step == "in the middle" else B)
    cloud.faults({})
    finish(back, words, first.id)
    back.sees(back.number, "on hold at")
    is_back(back, back.state()[0].serial)


def killed_in_terraform(back: GoingBack, step: str, words: str = "/revert staging") -> int:
    """The bot is killed there and started again; the comment's id."""
    if step == "before it":
        back.kills.at("after", r"UPDATE plans SET status=.*'applying'")
        comment = back.say(back.number, words)
        back.kills.await_death(back.world, step)
    elif step == "in the middle":
        back.world.clouds["staging"].faults({"update:playground_server.web": 4})
        comment = back.say(back.number, words)
        until(
            lambda: unfinished(back.awaits("apply", "applying").progress) == ["playground_server.web"],
            what=step,
        )
        back.world.bot.kill()
    else:
        known = len(back.holds.calls("apply"))
        back.holds.hold("apply")
        comment = back.say(back.number, words)
        back.holds.await_call("apply", known + 1)
        back.world.bot.kill()
        back.holds.release("apply")
    back.world.bot.start()
    return comment


def finish(back: GoingBack, words: str, release: str) -> Run:
    """By the command that was named: read, then applied."""
    back.asks(words, "+1")
    assert back.way_is_planned().reverts == release
    back.asks(words, "rocket")
    back.sees(back.number, "matches `")
    return back.ended("apply", "applied")


def test_consent_is_used_once_and_back_to_what_was_taken_back(back: GoingBack) -> None:
    """A revert that loses something is killed when its consent was just used; going on needs a new one. Then what was
    taken back is wanted again, once the hold is lifted, and that is killed too: afterwards nothing is held."""
    extra = OLD.replace('"old"', '"extra"')
    with back.tables() as tables:
        first = tables.releases.newest(back.target())
    back.proposes(configured("s", OLD + extra))
    back.asks("/apply staging", "rocket")
    back.stands(A | {"extra": "s"})
    with back.tables() as tables:
        second = tables.releases.newest(back.target())
    assert first is not None
    assert second is not None
    used = []
    for killed in (True, False):
        back.asks("/revert staging", "+1")
        assert back.way_is_planned().reverts == first.id
        asks_once_more(back)
        back.asks("/approve staging", "+1", "bob")
        words = "/revert staging --losing 1"
        if killed:
            assert interrupted(back, killed_in_terraform(back, "before it", words)) == "/revert staging"
        else:
            back.asks(words, "rocket")
        used.append(back.runs("apply")[-1].approval)
    assert all(used)
    assert len(set(used)) == 2
    is_back(back, back.state()[0].serial)

    words = f"/revert staging {second.serial}"
    back.asks(words, "-1")
    back.asks("/unhold staging", "+1")
    back.asks(words, "+1")
    assert back.way_is_planned().reverts == second.id
    words = interrupted(back, killed_in_terraform(back, "before it", words))
    run = finish(back, words, second.id)
    assert "commits" not in run.next_step, "nothing is to be taken out of git"
    back.stands(A | {"extra": "s"})
    assert "on hold at" not in back.status(back.number)
    with back.tables() as tables:
        assert tables.holds.get(back.target()) is None
    back.is_sound()


def test_the_record_alone(back: GoingBack) -> None:
    """`/revert --state-only`, killed before and after each thing that it writes down: it goes on by itself, writes the
    state once, and stays locked until its plan is accepted, which is killed too."""
    back.goes_on()
    with back.tables() as tables:
        now, then = tables.states.versions(back.target().key, 10)[:2]
    words = f"/revert staging --state-only {then.serial} --orphans 0 --ghosts 1"
    comment = back.killed_at(REWOUND, lambda: back.say(back.number, words, "bob"), B)
    back.reacted(back.number, comment, "+1")
    assert "run `/unlock staging` to accept it" in back.answer("no resource was changed")
    assert back.cloud() == B
    is_rewound(back, now, then)
    comment = back.killed_at(ACCEPTED, lambda: back.say(back.number, "/unlock staging", "bob"), B)
    back.reacted(back.number, comment, "+1")
    with back.tables() as tables:
        assert tables.locks.get(back.target()) is None
    back.asks("/plan staging", "+1")
    back.sees(back.number, "no changes")  # B is what the head says, and the ghost is none of the world's
    assert back.cloud() == B
    back.is_sound()


def asks_once_more(back: GoingBack) -> None:
    """`/revert staging`, which needs consent: the question."""
    known = len(back.answers(back.number))
    back.say(back.number, "/revert staging")
    until(
        lambda: "requests approval to revert" in "".join(back.answers(back.number)[known:]),
        what="the question",
    )


def is_rewound(back: GoingBack, now: StateVersion, then: StateVersion) -> None:
    """The state of `then` stands there once more, recorded once, locked and planned."""
    back.is_sound()
    version, state = back.state()
    with back.tables() as tables:
        old = json.loads(tables.states.data(then.id))
        lock, entries = tables.locks.get(back.target()), list(tables.audit.entries())
        plan = tables.plans.newest(back.target(), back.number)
    assert state == old | {"serial": now.serial + 1}
    assert (version.serial, version.reverts, version.actor) == (now.serial + 1, then.id, "bob")
    assert [one.action for one in entries].count("state.rewound") == 1
    assert lock is not None
    assert (lock.pull, lock.actor.login) == (0, "bob")
    assert "accepts its plan" in lock.reason
    assert plan is not None
    assert (plan.status, plan.serial) == ("fresh", version.serial)


def test_in_a_bucket(make_world: MakeWorld, holds: Holds, bucket: Bucket, tmp_path: Path) -> None:
    """The same where the state is in a bucket: killed when it is there and not yet on record, and with its lock held."""
    kills = Kills(tmp_path)
    back = GoingBack(
        make_world(settings=kills.settings | bucket.settings()), holds, kills, bucket=bucket.name
    )
    back.goes_on()
    back.asks("/revert staging", "+1")
    back.way_is_planned()
    unrecorded: list[Point] = [("before", "INSERT INTO states ")] * 2
    comment = back.killed_at(unrecorded, lambda: back.say(back.number, "/revert staging"), A)
    back.reacted(back.number, comment, "rocket")
    is_back(back, back.state()[0].serial)
    with back.tables() as tables:
        now, then = tables.states.versions(back.target().key, 10)[:2]
    words = f"/revert staging --state-only {then.serial}"
    back.asks(words, "-1", "bob")
    words += " --orphans 1 --ghosts 0"
    comment = back.killed_at(unrecorded, lambda: back.say(back.number, words, "bob"), A)
    back.reacted(back.number, comment, "+1")
    is_rewound(back, now, then)
    assert not [name for name in bucket.names() if name.endswith(".tflock")]
