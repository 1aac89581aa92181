"""What a release left, and a request to go back that is entered again after a crash."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.answers import Refused
from bot.domain.people import Actor
from bot.domain.policy_file import parse
from bot.domain.release import Release
from bot.domain.results import Noted, Started
from bot.domain.run import Origin, Run
from bot.domain.state import StateInfo
from bot.domain.target import Target
from bot.services import drifting, planning, reverting
from bot.services.context import Context
from bot.services.going_back import choose, state_left_by
from bot.services.verifying import once_more
from tests.contract.state_store import state

HERE = Target("acme/infra", "infra", "staging")
ANN = Actor("ann")
SAID = Origin("delivery", asked=1.0)
NOBODY: Any = None
"""A port, or a part of a request, that must not be needed."""


def release(run_id: str, serial: int, created_at: datetime | None = None) -> Release:
    now = created_at or datetime.now(UTC)
    return Release(f"release-of-{run_id}", HERE, run_id, "", "c" * 40, 1, ANN, serial, now)


@pytest.fixture
def recorded(context: Context) -> Context:
    """Serial 1 by run `first`, serial 2 by run `second`."""
    with context.store.begin() as tables:
        for serial, run_id in ((1, "first"), (2, "second")):
            data = state(serial, "one")
            tables.states.append(HERE.key, data, StateInfo.parse(data), run_id=run_id)
    return context


def test_the_state_that_its_own_run_wrote(recorded: Context) -> None:
    assert state_left_by(recorded, release("first", 1)) == state(1, "one")
    assert state_left_by(recorded, release("second", 2)) == state(2, "one")


def test_the_state_that_its_run_found_as_it_should_be(recorded: Context) -> None:
    """As where the apply before it was interrupted when all was done."""
    assert state_left_by(recorded, release("third", 2)) == state(2, "one")


def test_no_state_of_later_times(recorded: Context) -> None:
    before = datetime.now(UTC) - timedelta(days=1)
    assert state_left_by(recorded, release("zeroth", 2, before)) == b""
    assert state_left_by(recorded, release("third", 3)) == b""


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("1", "3f00aaaa"),  # the newer one's id begins with it, too
        ("#2", "1eeeaaaa"),
        ("3f00", "3f00aaaa"),
        ("1EEE", "1eeeaaaa"),
        ("abcd", "3f00aaaa"),
        ("1eeebbbb", "no-release"),
        ("1ee", "no-release"),
        ("9", "no-release"),
        ("1234", "several-releases"),
    ],
)
def test_which_release_a_word_means(context: Context, wanted: str, found: str) -> None:
    with context.store.begin() as tables:
        for serial, (name, commit) in enumerate(
            (("3f00aaaa", "abcd"), ("1eeeaaaa", "1234"), ("1234aaaa", "9999")), 1
        ):
            tables.releases.add(replace(release(name, serial), id=name, commit=commit.ljust(40, "0")))
        said = choose(tables, HERE, wanted)
    assert (said.code if isinstance(said, Refused) else said.to.id) == found


def test_before_the_first_release_there_is_nothing(context: Context) -> None:
    """What is named there is not asked for again; a second one changes what is said."""
    with context.store.begin() as tables:
        tables.releases.add(replace(release("first", 1), verification="failed"))
        said = choose(tables, HERE, None)
        assert isinstance(said, Refused)
        assert "the first one of" in said.fact
        assert said.next_step == "Push what it should be instead, then `/apply staging`."
        tables.releases.add(release("second", 2))
        said = choose(tables, HERE, None)
    assert isinstance(said, Refused)
    assert "no verified release before" in said.fact


def test_a_way_that_was_planned_meanwhile_is_not_applied_unread(context: Context) -> None:
    """The bot died before it answered, and the plan was made before the request was entered again."""
    run_id = planning.run_id(f"{SAID.delivery}:0:revert", HERE)
    run = Run(
        run_id, "plan", HERE, 1, "c" * 40, reverts="release-of-first", phase="finished", outcome="planned"
    )
    with context.store.begin() as tables:
        tables.releases.add(release("first", 1))
        tables.runs.add(run)
    pull: Any = type("Pull", (), {"number": 1})
    said = reverting.request(context, pull, NOBODY, HERE, ANN, SAID, None, None)
    assert isinstance(said, Noted)
    assert "release `release-`, serial 1) is being planned" in said.text


def test_a_look_that_an_apply_overtook_was_asked_for(context: Context) -> None:
    """Entered again after a crash, when nothing is known to stand there any more."""
    work: Any = type("Work", (), {"enqueue": lambda *_: None, "wake": lambda *_: None})()
    context = replace(context, work=work)
    policy = parse('[env.staging]\n[stack.infra]\nroot = "infra"\n', "envs/environments.toml")
    with context.store.begin() as tables:
        tables.releases.add(release("first", 1))
    first = drifting.request(context, HERE, policy, 0, ANN, SAID)
    with context.store.begin() as tables:
        tables.releases.deactivate(HERE)
    again = drifting.request(context, HERE, policy, 0, ANN, SAID)
    assert isinstance(first, Started)
    assert isinstance(again, Started)
    assert first.runs == again.runs


def test_who_reverted_checks_the_same_once_more() -> None:
    """Bare, `/revert` would take back the revert; `/plan` and `/apply` are of the head, which is held."""
    assert once_more(HERE, "") == "`/plan staging infra` and `/apply staging infra`"
    assert once_more(HERE, "0123456789abcdef") == "`/revert staging 01234567 infra`, twice,"
