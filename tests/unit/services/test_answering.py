"""Who gets an answer: outsiders not so often that they could flood a pull request, and everybody whose delivery was
given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.answers import Refused
from bot.domain.people import Actor
from bot.domain.ports.forge import ForgeError, Role
from bot.domain.ports.inbox import Delivery
from bot.domain.ports.store import Tables
from bot.domain.ports.surfaces import Surface
from bot.domain.requests import Acknowledged, Answered, Request, Said
from bot.domain.results import Result
from bot.domain.run import Origin
from bot.errors import TransientError
from bot.runs.answering import QUIET
from bot.runs.conversation import hear
from bot.runs.lost import lost
from bot.services.context import Context, stable_id
from bot.storage.inbox import DeliveryRows
from tests.integration.storage import samples
from tests.unit.render import consents
from tests.unit.services.conftest import NOW, Clock


class Forge:
    """GitHub, as far as roles go."""

    def __init__(self) -> None:
        self.roles: dict[str, Role] = {}

    def role(self, _repository: str, login: str) -> Role:
        return self.roles.get(login, "none")


class Room:
    """acme/infra#7, public; what is answered there, in order, and the reaction to each comment."""

    def __init__(self, context: Context) -> None:
        github: Any = Forge()
        self.forge: Forge = github
        self.answers: list[Result] = []
        self.context = replace(context, forge=github, tell=self.tell)
        self.comments = 100
        self.private(False)

    def private(self, private: bool) -> None:
        with self.context.store.begin() as tables:
            tables.pulls.save_repository(replace(samples.repository(), private=private))

    def tell(self, tables: Tables, origin: Origin, repository: str, pull: int, result: Result) -> None:
        self.answers.append(result)
        subject = f"{origin.delivery}:{origin.index}"
        tables.surfaces.want(Surface(f"reply:{subject}", "reply", subject, repository, pull))

    def say(self, text: str, who: str = "dave", number: int = 7) -> str:
        """The reaction that the comment gets in the end."""
        self.comments += 1
        origin = Origin(f"d{self.comments}", comment=self.comments)
        hear(self.context, Said(Actor(who), text, origin, "acme/infra", number))
        with self.context.store.read() as tables:
            found = tables.surfaces.get(f"reaction:acme/infra/{self.comments}")
        return str(found.wanted["reaction"]) if found else ""


@pytest.fixture
def room(context: Context) -> Room:
    return Room(context)


@pytest.mark.parametrize("text", ["/plan staging", "/plan staging #abc", "/plan #abc staging"])
def test_the_way_out_of_a_wrong_number_in_slack_does_not_repeat_it(room: Room, text: str) -> None:
    room.forge.roles["bob"] = "write"
    hear(room.context, Said(Actor("bob"), text, Origin("d1", channel="C1"), "acme/infra", 0))
    assert [answer.next_step for answer in room.answers if isinstance(answer, Refused)] == [
        "`/infra plan staging #12`"
    ]


@pytest.mark.parametrize(
    "text", ["/apply staging", "/aply", "/plan\n" * 11, "/plan staging\n\n/apply staging"]
)
def test_a_stranger_is_refused_once_an_hour(room: Room, clock: Clock, text: str) -> None:
    for _ in range(5):
        assert room.say(text) == "-1"
    assert len(room.answers) == 1
    clock.pass_by(seconds=QUIET.total_seconds())
    assert room.say(text) == "-1"
    assert len(room.answers) == 2


def test_one_refusal_is_for_all_commands_of_one_person_on_one_pull_request(room: Room) -> None:
    for text in ("/apply staging", "/plan", "/aply", "/lock staging mine"):
        room.say(text)
    assert len(room.answers) == 1
    room.say("/apply staging", "erin")
    room.say("/apply staging", number=8)
    assert len(room.answers) == 3


def test_answers_that_are_no_refusals_cannot_flood_either(room: Room) -> None:
    assert room.say("/help") == "+1"
    assert room.say("/help") == "-1"
    assert room.say("/apply staging") == "-1"
    assert len(room.answers) == 2


def test_anybody_reads_a_public_repository(room: Room) -> None:
    room.forge.roles["dave"] = "read"
    for _ in range(3):
        room.say("/apply staging")
    assert len(room.answers) == 1


@pytest.mark.parametrize(("role", "private"), [("read", True), ("triage", False), ("write", False)])
def test_those_with_access_are_always_answered(room: Room, role: Role, private: bool) -> None:
    room.forge.roles["ann"] = role
    room.private(private)
    for _ in range(3):
        assert room.say("/aply", "ann") == "-1"
    assert len(room.answers) == 3


def test_a_role_that_cannot_be_asked_silences_nobody(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_who: str) -> Role:
        raise ForgeError("away", retry_after=1.0)

    monkeypatch.setattr(room.forge, "role", away)
    for _ in range(2):
        room.say("/aply")
    assert len(room.answers) == 2


# given up


def delivered(inbox: DeliveryRows) -> Delivery:
    inbox.accept(made := samples.delivery("d1", received_at=NOW))
    return made


def said(text: str, **more: Any) -> Said:
    origin = more.pop("origin", Origin("d1", comment=55))
    return Said(Actor("ann"), text, origin, "acme/infra", 7, **more)


def give_up(room: Room, inbox: DeliveryRows, *requests: Request, ticket: str = "T-ABCDEF") -> Sequence[Any]:
    """The answers to a delivery with these requests."""
    delivered(inbox)
    lost(room.context, inbox, lambda _delivery: requests, "d1", ticket)
    return room.answers


def test_the_asker_of_a_lost_delivery_is_told(room: Room, inbox: DeliveryRows) -> None:
    (no,) = give_up(room, inbox, said("Please\n\n/apply staging"))
    assert isinstance(no, Refused)
    assert "`/apply staging` could not be done, and nothing was changed." in no.fact
    assert "again" in no.next_step
    assert "T-ABCDEF" in no.next_step
    with room.context.store.read() as tables:
        found = tables.surfaces.get("reaction:acme/infra/55")
    assert found is not None
    assert found.wanted["reaction"] == "-1"


def test_it_is_told_once(room: Room, inbox: DeliveryRows) -> None:
    give_up(room, inbox, said("/apply staging"))
    give_up(room, inbox, said("/apply staging"))
    assert len(room.answers) == 1


def test_what_was_answered_or_has_runs_is_left(room: Room, inbox: DeliveryRows) -> None:
    """Of four commands, the first was answered and the second has a run."""
    with room.context.store.begin() as tables:
        tables.surfaces.want(Surface("reply:d1:0", "reply", "d1:0", "acme/infra", 7))
        tables.runs.add(samples.run(origin=Origin("d1", index=1), created_at=NOW))
        tables.runs.add(samples.run("other", origin=Origin("d0", index=2), created_at=NOW))
    answers = give_up(room, inbox, said("/status\n\n/plan staging\n\n/lock staging mine\n\n/help"))
    assert [answer.fact.split("`")[1] for answer in answers] == ["/lock staging mine", "/help"]


@pytest.mark.parametrize("text", ["No command", "/retest"])
def test_nothing_was_asked(room: Room, inbox: DeliveryRows, text: str) -> None:
    assert give_up(room, inbox, said(text), said("/apply staging", bot=True)) == []


def test_in_slack_too(room: Room, inbox: DeliveryRows) -> None:
    """The address that a slash command came with is no good any more after an hour."""
    told: list[Origin] = []

    def tell(_tables: Tables, origin: Origin, *_more: object) -> None:
        told.append(origin)

    room.context = replace(room.context, tell=tell)
    origin = Origin("d1", channel="C1", user="U1", response_url="https://hooks.example.com/1")
    give_up(room, inbox, Said(Actor(slack="T1/U1"), "apply staging #7", origin, slash=True))
    assert told == [replace(origin, response_url="")]


@pytest.mark.parametrize("kept", [False, True])
def test_whoever_clicked_is_told(room: Room, inbox: DeliveryRows, kept: bool) -> None:
    """For their eyes alone, once, with the reference; and whether their word was kept before it went wrong."""
    told: list[tuple[Origin, Any]] = []

    def tell(tables: Tables, origin: Origin, repository: str, pull: int, result: Result) -> None:
        told.append((origin, result))
        room.tell(tables, origin, repository, pull, result)

    room.context = replace(room.context, tell=tell)
    origin = Origin("d1", channel="C1", user="U1", response_url="https://hooks.example.com/1")
    approval = consents.approval()
    with room.context.store.begin() as tables:
        tables.approvals.add(approval)
        if kept:
            tables.approvals.decide(consents.decision("bob", id=f"{stable_id('d1', 0)}:{approval.id}"))
    click = Answered(approval.id, "0" * 16, Actor(slack="T1/U1", via="slack"), "approve", "", "", origin)
    for _ in range(2):
        give_up(room, inbox, click)
    ((where, no),) = told
    assert where == replace(origin, response_url="")
    assert isinstance(no, Refused)
    assert ("Your click was taken" in no.fact) is kept
    assert "Click again" in no.next_step
    assert "T-ABCDEF" in no.next_step


def test_whoever_acknowledged_is_told(room: Room, inbox: DeliveryRows) -> None:
    origin = Origin("d1", channel="C1", user="U1")
    (no,) = give_up(room, inbox, Acknowledged("f1", Actor(slack="T1/U1", via="slack"), origin))
    assert "nothing came of it" in no.fact
    assert "T-ABCDEF" in no.next_step


def test_github_is_still_away(room: Room, inbox: DeliveryRows) -> None:
    """Then the one who tells waits, and a final no ends it."""
    delivered(inbox)

    def away(seconds: float | None) -> Any:
        def understand(_delivery: Delivery) -> Any:
            raise ForgeError("away", retry_after=seconds)

        return understand

    with pytest.raises(TransientError):
        lost(room.context, inbox, away(2.0), "d1", "")
    lost(room.context, inbox, away(None), "d1", "")
    lost(room.context, inbox, away(2.0), "unknown", "")
    assert room.answers == []
