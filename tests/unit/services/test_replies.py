"""Who gets an answer: outsiders not so often that they could flood a pull request, and everybody whose delivery was
given up."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.chat.answers import QUIET
from bot.chat.conversation import run_commands
from bot.chat.given_up import report_given_up
from bot.domain.actors import Actor, Role
from bot.domain.chat import Late, Reply
from bot.domain.chat.events import ApprovalAnswered, ForceAcknowledged, Message, Request
from bot.domain.ports.forge import ForgeError
from bot.domain.ports.inbox import Delivery
from bot.domain.ports.store import Code, Tables
from bot.domain.ports.surfaces import Surface
from bot.domain.refusal import Refused
from bot.domain.run import Origin
from bot.errors import TransientError
from bot.render.reply import on_github
from bot.services.access.identities import LIFE
from bot.services.context import Context, stable_id
from bot.storage.inbox import DeliveryRows
from tests.integration.storage import samples
from tests.unit.render import approvals
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
        self.answers: list[Reply] = []
        self.context = replace(context, forge=github, tell=self.tell)
        self.comments = 100
        self.private(False)

    def private(self, private: bool) -> None:
        with self.context.store.begin() as tables:
            tables.pulls.save_repository(replace(samples.repository(), private=private))

    def tell(self, tables: Tables, origin: Origin, repository: str, pull: int, result: Reply) -> None:
        self.answers.append(result)
        subject = f"{origin.delivery}:{origin.index}"
        tables.surfaces.want(Surface(f"reply:{subject}", "reply", subject, repository, pull))

    def say(self, text: str, who: str = "dave", number: int = 7) -> str:
        """The reaction that the comment gets in the end."""
        self.comments += 1
        origin = Origin(f"d{self.comments}", comment=self.comments)
        run_commands(self.context, Message(Actor(who), text, origin, "acme/infra", number))
        with self.context.store.read() as tables:
            found = tables.surfaces.get(f"reaction:acme/infra/{self.comments}")
        return str(found.wanted["reaction"]) if found else ""


@pytest.fixture
def room(context: Context) -> Room:
    return Room(context)


@pytest.mark.parametrize("text", ["/plan staging", "/plan staging #abc", "/plan #abc staging"])
def test_the_way_out_of_a_wrong_number_in_slack_does_not_repeat_it(room: Room, text: str) -> None:
    room.forge.roles["bob"] = "write"
    run_commands(room.context, Message(Actor("bob"), text, Origin("d1", channel="C1"), "acme/infra", 0))
    assert [answer.next_step for answer in room.answers if isinstance(answer, Refused)] == [
        "Add one, such as `/infra plan staging #12`."
    ]


def old(text: str, *, minutes: float, **where: Any) -> Message:
    """What bob wrote so long ago."""
    origin = Origin("d1", asked=(NOW - timedelta(minutes=minutes)).timestamp(), **where)
    return Message(Actor("bob"), text, origin, "acme/infra", 7, slash=bool(where))


@pytest.mark.parametrize(
    ("message", "offered"),
    [
        (old("/apply prod when-approved", minutes=15.1), "/apply prod when-approved"),
        (old("/lock staging `x`", minutes=90), "/lock staging 'x'"),
        (old('lock staging "not now" #7', minutes=90, channel="C1"), '/lock staging "not now"'),
    ],
)
def test_old_commands_change_nothing(room: Room, message: Message, offered: str) -> None:
    room.forge.roles["bob"] = "write"
    run_commands(room.context, message)
    (answer,) = room.answers
    assert isinstance(answer, Refused)
    assert answer.code == "late"
    assert answer.fact.startswith("Not executed: this was written on 2030-01-02 0")
    assert answer.fact.endswith(
        (" and reached Towpath 15 min later.", " and reached Towpath 1 h 30 min later.")
    )
    assert answer.next_step == f"If you still want it, run `{offered}`."


@pytest.mark.parametrize("minutes", [0, 15])
def test_what_is_not_that_old_is_asked_about(room: Room, minutes: float) -> None:
    """It gets as far as GitHub, which this room does not have."""
    room.forge.roles["bob"] = "write"
    run_commands(room.context, old("/lock staging", minutes=minutes))
    (answer,) = room.answers
    assert not isinstance(answer, Refused)


def test_what_had_begun_in_time_goes_on(room: Room) -> None:
    """After a crash, or while GitHub was out of reach."""
    room.forge.roles["bob"] = "write"
    created = NOW - timedelta(minutes=90)
    with room.context.store.begin() as tables:
        tables.runs.add(samples.run("r1", origin=Origin("d1"), created_at=created))
    run_commands(room.context, old("/apply staging", minutes=90))
    (answer,) = room.answers
    assert not isinstance(answer, Refused)


def test_old_questions_are_answered(room: Room) -> None:
    room.forge.roles["bob"] = "write"
    run_commands(room.context, old("/help apply", minutes=20))
    (answer,) = room.answers
    assert isinstance(answer, Late)
    assert answer.delay == timedelta(minutes=20)
    text = on_github(answer)
    assert text.splitlines()[0].endswith("Late answer: written 2 Jan 02:44 UTC, answered 20 min later.")
    assert "when-approved" in text


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


def test_whom_a_code_links_is_always_told(room: Room) -> None:
    """Who was not told could confirm the next code without having read whose it is."""
    for number in range(3):
        with room.context.store.begin() as tables:
            digest = hashlib.sha256(f"CODE{number}".encode()).hexdigest()
            tables.identities.offer(Code(digest, "slack", "T1/U1", room.context.now() + LIFE))
        assert room.say(f"/link CODE{number}") == "+1"
    assert ["`name-U1`" in str(answer) for answer in room.answers] == [True] * 3
    for _ in range(3):
        assert room.say("/link WRONG") == "-1"
    assert len(room.answers) == 4, "a guess is a refusal like others"


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


def said(text: str, **more: Any) -> Message:
    origin = more.pop("origin", Origin("d1", comment=55))
    return Message(Actor("ann"), text, origin, "acme/infra", 7, **more)


def give_up(room: Room, inbox: DeliveryRows, *requests: Request, ticket: str = "T-ABCDEF") -> Sequence[Any]:
    """The answers to a delivery with these requests."""
    delivered(inbox)
    report_given_up(room.context, inbox, lambda _delivery: requests, "d1", ticket)
    return room.answers


def test_the_asker_of_a_lost_delivery_is_told(room: Room, inbox: DeliveryRows) -> None:
    (refusal,) = give_up(room, inbox, said("Please\n\n/apply staging"))
    assert isinstance(refusal, Refused)
    assert "`/apply staging` could not be processed; nothing was changed." in refusal.fact
    assert "again" in refusal.next_step
    assert "T-ABCDEF" in refusal.next_step
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
    give_up(room, inbox, Message(Actor(slack="T1/U1"), "apply staging #7", origin, slash=True))
    assert told == [replace(origin, response_url="")]


@pytest.mark.parametrize("kept", [False, True])
def test_whoever_clicked_is_told(room: Room, inbox: DeliveryRows, kept: bool) -> None:
    """For their eyes alone, once, with the reference; and whether their word was kept before it went wrong."""
    told: list[tuple[Origin, Any]] = []

    def tell(tables: Tables, origin: Origin, repository: str, pull: int, result: Reply) -> None:
        told.append((origin, result))
        room.tell(tables, origin, repository, pull, result)

    room.context = replace(room.context, tell=tell)
    origin = Origin("d1", channel="C1", user="U1", response_url="https://hooks.example.com/1")
    approval = approvals.approval()
    with room.context.store.begin() as tables:
        tables.approvals.add(approval)
        if kept:
            tables.approvals.decide(approvals.decision("bob", id=f"{stable_id('d1', 0)}:{approval.id}"))
    click = ApprovalAnswered(
        approval.id, "0" * 16, Actor(slack="T1/U1", via="slack"), "approve", "", "", origin
    )
    for _ in range(2):
        give_up(room, inbox, click)
    ((where, refusal),) = told
    assert where == replace(origin, response_url="")
    assert isinstance(refusal, Refused)
    assert ("Your decision was recorded" in refusal.fact) is kept
    assert "Click again" in refusal.next_step
    assert "T-ABCDEF" in refusal.next_step


def test_whoever_acknowledged_is_told(room: Room, inbox: DeliveryRows) -> None:
    origin = Origin("d1", channel="C1", user="U1")
    (refusal,) = give_up(room, inbox, ForceAcknowledged("f1", Actor(slack="T1/U1", via="slack"), origin))
    assert "nothing was changed" in refusal.fact
    assert "T-ABCDEF" in refusal.next_step


def test_github_is_still_away(room: Room, inbox: DeliveryRows) -> None:
    """Then the one who tells waits, and a final no ends it."""
    delivered(inbox)

    def away(seconds: float | None) -> Any:
        def understand(_delivery: Delivery) -> Any:
            raise ForgeError("away", retry_after=seconds)

        return understand

    with pytest.raises(TransientError):
        report_given_up(room.context, inbox, away(2.0), "d1", "")
    report_given_up(room.context, inbox, away(None), "d1", "")
    report_given_up(room.context, inbox, away(2.0), "unknown", "")
    assert room.answers == []
