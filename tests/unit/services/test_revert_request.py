"""What a release left, and a request to go back that is entered again after a crash."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from bot.domain.actors import Actor
from bot.domain.chat import Notice, RunsStarted
from bot.domain.hold import Hold
from bot.domain.policy.loader import parse_policy
from bot.domain.ports.forge import Repository
from bot.domain.ports.state import Author
from bot.domain.refusal import Refused
from bot.domain.release import Release
from bot.domain.run import Origin, Run
from bot.domain.states.model import StateInfo
from bot.domain.target import Target
from bot.services.context import Context
from bot.services.drift.request import request_drift_check
from bot.services.plans.plan import plan_run_id
from bot.services.plans.revert_plan import state_left_by
from bot.services.plans.revert_target import choose_release
from bot.services.releases.verification import check_again_command
from bot.services.reverts.request import RevertRequest, request_revert
from bot.services.targets import PullContext
from tests.contract.state_store import state
from tests.fixtures.refusals import answer_of

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
            tables.states.append(HERE.key, data, StateInfo.parse(data), Author(run_id))
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
    said = answer_of(choose_release, context, HERE, wanted)
    assert (said.code if isinstance(said, Refused) else said.to.id) == found


def test_before_the_first_release_there_is_nothing(context: Context) -> None:
    """What is named there is not asked for again; a second one changes what is said."""
    with context.store.begin() as tables:
        tables.releases.add(replace(release("first", 1), verification="failed"))
    said = answer_of(choose_release, context, HERE, None)
    assert isinstance(said, Refused)
    assert "is the first release of" in said.fact
    assert said.next_step == "Push a fix, then run `/apply staging`."
    with context.store.begin() as tables:
        tables.releases.add(release("second", 2))
    said = answer_of(choose_release, context, HERE, None)
    assert isinstance(said, Refused)
    assert "no verified release before" in said.fact


class _Line:
    """A git in which commits are one letter, and each contains the letters before it, as far as a branch goes."""

    def fetch(self, *_facts: object, **_more: object) -> None:
        pass

    def is_ancestor(self, _repository: str, ancestor: str, commit: str) -> bool:
        return ancestor <= commit


def chosen(context: Context, wanted: str | None = None, *, held: tuple[str, ...] = ()) -> int | Refused:
    """The serial of the release that `/revert` chooses."""
    known: Any = type("Forge", (), {"git_credentials": lambda *_: None})()
    context = replace(context, git=cast("Any", _Line()), forge=known)
    with context.store.begin() as tables:
        tables.pulls.save_repository(
            Repository("acme/infra", "main", "https://x/acme/infra.git", "https://x")
        )
        if held:
            tables.holds.pin(Hold(HERE, "r1", "a", held[0], "run", 1, ANN, datetime.now(UTC), held[1:]))
    found = answer_of(choose_release, context, HERE, wanted)
    return found if isinstance(found, Refused) else int(found.to.serial)


def deploy(context: Context, *history: tuple[str, str]) -> None:
    """Releases `r1`, `r2` …, each a commit and the id of what it reverts to."""
    with context.store.begin() as tables:
        for serial, (commit, reverts) in enumerate(history, 1):
            made = replace(release(f"run{serial}", serial), id=f"r{serial}", commit=commit, reverts=reverts)
            tables.releases.add(made)


def test_undoing_twice_goes_further_back(context: Context) -> None:
    """Not forward to what was reverted, held or not."""
    deploy(context, ("a", ""), ("b", ""), ("c", ""), ("b", "r2"))
    assert chosen(context) == 1
    assert chosen(context, held=("c",)) == 1


def test_nothing_is_left_but_what_was_reverted(context: Context) -> None:
    deploy(context, ("a", ""), ("b", ""), ("a", "r1"))
    said = chosen(context, held=("b",))
    assert isinstance(said, Refused)
    assert said.fact == "`a` is the first release of staging, so there is nothing to revert to."
    assert said.next_step == "Run `/unhold staging`, then `/revert staging 2`, to apply `b` again."


@pytest.mark.parametrize("wanted", ["2", "4"])
def test_a_named_release_that_is_held_back(context: Context, wanted: str) -> None:
    """It contains the reverted commit, or is one that an earlier revert took out."""
    deploy(context, ("a", ""), ("b", ""), ("a", "r1"), ("c", ""), ("a", "r3"))
    said = chosen(context, wanted, held=("c", "b"))
    assert isinstance(said, Refused)
    assert said.code == "held"
    assert f"(serial {wanted}) contains the reverted commit" in said.fact
    assert said.next_step == f"Run `/unhold staging`, then `/revert staging {wanted}`."
    assert chosen(context, "1", held=("c", "b")) == 1


def test_after_the_hold_is_lifted_it_is_named(context: Context) -> None:
    deploy(context, ("a", ""), ("b", ""), ("a", "r1"))
    assert chosen(context, "2") == 2
    assert isinstance(chosen(context), Refused)


def test_a_way_that_was_planned_meanwhile_is_not_applied_unread(context: Context) -> None:
    """The bot died before it answered, and the plan was made before the request was entered again."""
    run_id = plan_run_id(f"{SAID.delivery}:0:revert", HERE)
    run = Run(
        run_id, "plan", HERE, 1, "c" * 40, reverts="release-of-first", phase="finished", outcome="planned"
    )
    with context.store.begin() as tables:
        tables.releases.add(release("first", 1))
        tables.runs.add(run)
    pull: Any = type("Pull", (), {"number": 1})
    said = request_revert(context, RevertRequest(PullContext(pull, NOBODY, ""), HERE, ANN, SAID))
    assert isinstance(said, Notice)
    assert "Planning a revert of staging" in said.text
    assert "release `release-`, serial 1)" in said.text


def test_a_look_that_an_apply_overtook_was_asked_for(context: Context) -> None:
    """Entered again after a crash, when nothing is known to stand there any more."""
    work: Any = type("Work", (), {"enqueue": lambda *_: None, "wake": lambda *_: None})()
    context = replace(context, work=work)
    policy = parse_policy('[env.staging]\n[stack.infra]\nroot = "infra"\n', "envs/environments.toml")
    with context.store.begin() as tables:
        tables.releases.add(release("first", 1))
    first = request_drift_check(context, HERE, policy, 0, ANN, SAID)
    with context.store.begin() as tables:
        tables.releases.deactivate(HERE)
    again = request_drift_check(context, HERE, policy, 0, ANN, SAID)
    assert isinstance(first, RunsStarted)
    assert isinstance(again, RunsStarted)
    assert first.runs == again.runs


def test_who_reverted_checks_the_same_once_more() -> None:
    """Bare, `/revert` would take back the revert; `/plan` and `/apply` are of the head, which is held."""
    assert check_again_command(HERE, "") == "`/plan staging infra` and `/apply staging infra`"
    assert check_again_command(HERE, "0123456789abcdef") == "`/revert staging 01234567 infra` twice"
