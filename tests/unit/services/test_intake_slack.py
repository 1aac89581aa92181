"""Slack's requests: kept once, and what they mean later."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.actors import Actor
from bot.domain.chat.events import Message
from bot.domain.ports.inbox import Delivery
from bot.intake import slack
from bot.intake.clicks import parse_button
from bot.slack.request import SlackDelivery, SlackRequest
from bot.storage.inbox import DeliveryRows
from tests.unit.services.conftest import NOW, Bell


def request(**more: Any) -> SlackRequest:
    given: dict[str, Any] = {
        "kind": "command",
        "team": "T1",
        "user": "U1",
        "delivery_id": "Ev1",
        "channel": "C1",
        "text": "plan staging #12",
        "response_url": "https://hooks.example.com/x",
    }
    return SlackRequest(**given | more)


def meant(asked: SlackRequest) -> list[Message]:
    body = json.dumps(asdict(asked)).encode()
    found = slack.parse_requests(Delivery("slack-Ev1", "slack", asked.kind, "slack:C1", body, NOW))
    assert all(isinstance(one, Message) for one in found)
    return [one for one in found if isinstance(one, Message)]


def click(value: str) -> SlackRequest:
    return request(kind="action", text="", action_id="do", value=value, message_ts="2.1")


def test_kept_once_and_understood_later(inbox: DeliveryRows, bell: Bell) -> None:
    accept = slack.delivery_store(inbox, bell)
    assert accept(SlackDelivery("Ev1", request()))
    assert not accept(SlackDelivery("Ev1", request()))
    assert bell.rings == 1
    (kept,) = inbox.pending(10)
    assert (kept.id, kept.platform, kept.event, kept.conversation) == (
        "slack-Ev1",
        "slack",
        "command",
        "slack:C1",
    )
    (said,) = slack.parse_requests(kept)
    (same,) = meant(request())
    assert isinstance(said, Message)
    assert isinstance(same, Message)
    assert said.origin.asked == kept.received_at.timestamp()
    assert replace(said, origin=replace(said.origin, asked=same.origin.asked)) == same


def test_slacks_own_time_counts() -> None:
    (said,) = meant(request(written_at=12.5))
    assert said.origin.written_at == datetime.fromtimestamp(12.5, UTC)


def test_a_direct_message_is_in_order_by_its_user(inbox: DeliveryRows, bell: Bell) -> None:
    slack.delivery_store(inbox, bell)(SlackDelivery("Ev2", request(kind="home", channel="")))
    assert inbox.pending(10)[0].conversation == "slack:U1"


def test_a_slash_command(inbox: DeliveryRows) -> None:
    (said,) = meant(request())
    assert said.actor == Actor(slack="T1/U1", via="slack")
    assert (said.text, said.repository, said.pull, said.slash) == ("plan staging #12", "", 0, True)
    assert (said.origin.channel, said.origin.thread, said.origin.user) == ("C1", "", "U1")
    assert said.origin.response_url == "https://hooks.example.com/x"


@pytest.mark.parametrize(("thread", "answered"), [("", "2.1"), ("1.1", "1.1")])
def test_a_mention_is_answered_in_its_thread(thread: str, answered: str) -> None:
    (said,) = meant(request(kind="mention", text="status", message_ts="2.1", thread_ts=thread))
    assert said.origin.thread == answered


def test_a_button_is_a_command_with_its_place() -> None:
    (said,) = meant(click('{"c": "apply staging", "r": "acme/infra", "p": 12}'))
    assert (said.text, said.repository, said.pull, said.slash) == ("apply staging", "acme/infra", 12, True)
    assert said.actor == Actor(slack="T1/U1", via="slack"), "whoever presses it, not whoever it was made for"
    assert said.origin.thread == "2.1"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x",
        "[]",
        "null",
        "1",
        "{}",
        '{"c": "x"}',
        '{"c": "x", "r": "y"}',
        '{"c": "x", "r": "y", "p": "z"}',
        '{"c": "x", "r": "y", "p": null}',
        '{"c": "x", "r": "y", "p": [1]}',
        "{" * 99,
        "[" * 2000,
    ],
)
def test_a_button_without_a_command_asks_for_nothing(value: str) -> None:
    assert meant(click(value)) == []


@given(
    st.text(max_size=80)
    | st.recursive(st.text(max_size=4) | st.integers() | st.floats() | st.none(), st.lists).map(json.dumps)
)
def test_whatever_a_button_holds(value: str) -> None:
    parse_button(value)


@given(
    st.fixed_dictionaries(
        {key: st.text(max_size=4) | st.integers() | st.floats() | st.none() | st.booleans() for key in "crp"}
    )
)
@example({"c": "x", "r": "y", "p": float("inf")})
@example({"c": "x", "r": "y", "p": float("nan")})
def test_a_forged_button_gives_texts_and_a_number_or_nothing(value: dict[str, Any]) -> None:
    found = parse_button(json.dumps(value))
    assert found is None or [type(part) for part in found] == [str, str, int]


def test_a_forged_button_is_cut() -> None:
    found = parse_button(json.dumps({"c": "x" * 9999, "r": "y" * 9999, "p": 1}))
    assert found == ("x" * 2000, "y" * 200, 1)


@pytest.mark.parametrize("kind", ["home", "submission"])
def test_other_kinds_ask_for_nothing_yet(kind: str) -> None:
    assert meant(request(kind=kind)) == []
