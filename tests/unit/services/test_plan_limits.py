"""How many plans may be requested within an hour."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.actors import SYSTEM, Actor
from bot.domain.plans import PlanLimits
from bot.domain.refusal import Refusal
from bot.services.context import Context
from bot.services.plans import limit_note
from bot.services.plans.rate_limit import count_request
from tests.integration.storage import samples
from tests.unit.services.conftest import Clock

ANN, BOB = Actor("ann"), Actor("Bob")
PULL = samples.pull()
OTHER = replace(PULL, number=PULL.number + 1)


class Asking:
    """Requests plans of a context, each with a seed of its own unless one is given."""

    def __init__(self, context: Context, per_person: int, per_pull: int) -> None:
        self.context = replace(context, plan_limits=PlanLimits(per_person, per_pull))
        self._asked = 0

    def __call__(self, actor: Actor = ANN, pull: samples.PullRequest = PULL, seed: str = "") -> str:
        """Returns why it was refused, or nothing."""
        self._asked += 1
        try:
            with self.context.store.begin() as tables:
                again = "/plan staging"
                count_request(self.context, tables, pull, actor, seed or f"seed-{self._asked}", again)
        except Refusal as refusal:
            return str(refusal) if refusal.code == "too-many-plans" else refusal.code
        return ""


def test_a_person_over_all_pull_requests(context: Context, clock: Clock) -> None:
    ask = Asking(context, per_person=2, per_pull=0)
    assert ask() == ""
    clock.pass_by(minutes=10)
    assert ask(pull=OTHER) == ""
    refused = (
        "@ann requested plans 2 times within an hour, which is the limit. Run `/plan staging` at 04:05 UTC."
    )
    assert ask() == refused
    assert ask(Actor("ANN")) == refused.replace("@ann", "@ANN")
    assert ask(BOB) == ""
    clock.pass_by(minutes=50)
    assert ask() == ""
    assert ask() != ""


def test_a_pull_request_by_people_and_pushes(context: Context, clock: Clock) -> None:
    ask = Asking(context, per_person=0, per_pull=3)
    assert [ask(actor) for actor in (SYSTEM, ANN, BOB)] == ["", "", ""]
    note = f"#{PULL.number} was planned 3 times within an hour, which is the limit. Run `/plan` at 04:05 UTC."
    assert limit_note(ask.context, PULL) == note
    assert ask(SYSTEM) == ask(ANN) == note.replace("/plan", "/plan staging")
    assert (ask(pull=OTHER), limit_note(ask.context, OTHER)) == ("", "")
    clock.pass_by(hours=1)
    assert limit_note(ask.context, PULL) == ""
    assert ask(SYSTEM) == ""


def test_what_is_asked_twice_counts_once(context: Context) -> None:
    ask = Asking(context, per_person=2, per_pull=2)
    assert [ask(seed="one") for _ in range(4)] == [""] * 4
    assert (ask(), ask() != "") == ("", True)
    assert ask(seed="one") == ""


def test_refused_requests_do_not_count(context: Context, clock: Clock) -> None:
    ask = Asking(context, per_person=1, per_pull=0)
    assert ask() == ""
    for _ in range(3):
        clock.pass_by(minutes=15)
        assert ask()
    clock.pass_by(minutes=15)
    assert ask() == ""


@pytest.mark.parametrize("actor", [ANN, SYSTEM])
def test_no_limit(context: Context, actor: Actor) -> None:
    ask = Asking(context, per_person=0, per_pull=0)
    assert [ask(actor) for _ in range(100)] == [""] * 100
    assert limit_note(ask.context, PULL) == ""
