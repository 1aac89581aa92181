from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.events import read_request
from bot.slack.payload import delivery_id, parse_payload, written_at
from bot.slack.request import Malformed, SlackRequest

COMMAND = {
    "command": "/infra",
    "text": "plan &lt;prod&gt;",
    "team_id": "T1",
    "user_id": "U1",
    "user_name": "ann",
    "channel_id": "C1",
    "channel_name": "infra",
    "trigger_id": "1.2",
    "response_url": "https://hooks.example.com/x",
}
CLICK: dict[str, Any] = {
    "type": "block_actions",
    "team": {"id": "T1"},
    "user": {"id": "U1", "username": "ann"},
    "channel": {"id": "C1", "name": "infra"},
    "container": {"type": "message", "message_ts": "2.000001", "thread_ts": "1.000001"},
    "message": {"ts": "2.000001", "thread_ts": "1.000001"},
    "actions": [{"type": "button", "action_id": "approve", "block_id": "b", "value": "run-7"}],
    "trigger_id": "1.2",
    "response_url": "https://hooks.example.com/x",
}
EVENT: dict[str, Any] = {
    "type": "event_callback",
    "team_id": "T1",
    "event_id": "Ev1",
    "event": {"type": "app_mention", "user": "U1", "channel": "C1", "text": "<@UB> plan", "ts": "3.000001"},
    "authorizations": [{"user_id": "UB", "is_bot": True}],
}
SUBMISSION: dict[str, Any] = {
    "type": "view_submission",
    "team": {"id": "T1"},
    "user": {"id": "U1", "name": "ann"},
    "view": {
        "callback_id": "link",
        "private_metadata": "p",
        "state": {"values": {"b": {"a": {"value": "v"}}}},
    },
}
GENUINE = (COMMAND, CLICK, EVENT, SUBMISSION)


def asked(payload: dict[str, Any]) -> SlackRequest:
    request = read_request(payload, "d")
    assert request is not None
    return request


def event(**changes: Any) -> dict[str, Any]:
    return {**EVENT, "event": {**EVENT["event"], **changes}}


def test_each_kind() -> None:
    command, click, mention, submission = (asked(payload) for payload in GENUINE)
    assert (command.kind, command.text, command.user_name, command.channel_name) == (
        "command",
        "plan <prod>",
        "ann",
        "infra",
    )
    assert (click.kind, click.action_id, click.value) == ("action", "approve", "run-7")
    assert (click.message_ts, click.thread_ts, click.user_name) == ("2.000001", "1.000001", "ann")
    assert (mention.kind, mention.text, mention.message_ts, mention.thread_ts) == (
        "mention",
        "plan",
        "3.000001",
        "",
    )
    assert (submission.kind, submission.action_id, submission.value) == ("submission", "link", "p")
    assert submission.view["state"]["values"]["b"]["a"]["value"] == "v"


def test_a_request_survives_storage() -> None:
    for payload in GENUINE:
        request = asked(payload)
        assert SlackRequest(**json.loads(json.dumps(asdict(request)))) == request


def shared(**changes: Any) -> dict[str, Any]:
    """Of a channel that is shared with another workspace."""
    return {**event(**changes), "is_ext_shared_channel": True, "enterprise_id": "E1"}


@pytest.mark.parametrize(
    ("payload", "team"),
    [
        ({**CLICK, "user": {"id": "U1", "team_id": "T2"}}, "T2"),
        ({**CLICK, "user": {"id": "U1", "team_id": "T2"}, "team": None}, "T2"),
        (CLICK, "T1"),
        ({**SUBMISSION, "user": {"id": "U1", "team_id": "T2"}}, "T2"),
        (event(), "T1"),
        (event(team="T1"), "T1"),
        (event(team="T2", user_team="T2"), "T2"),
        (event(source_team="T2", team="T1"), "T2"),
        (shared(source_team="T2", team="T1"), "T2"),
        (shared(user_team="T2", team="T1"), "T2"),
        (shared(team="T2"), "T2"),
        (shared(user_team="E2", team="T1"), "E2"),
        (shared(user_team="E1"), "T1"),
    ],
)
def test_the_workspace_is_the_persons(payload: dict[str, Any], team: str) -> None:
    """Slack: the payload's own is where the app is."""
    assert asked(payload).team == team


def test_a_person_of_no_known_workspace_is_nobody() -> None:
    assert read_request(shared(), "d") is None


def test_home_and_direct_messages() -> None:
    assert asked(event(type="app_home_opened", tab="home")).kind == "home"
    assert read_request(event(type="app_home_opened", tab="messages"), "d") is None
    assert asked(event(type="message", channel_type="im")).kind == "mention"


@pytest.mark.parametrize(
    "payload",
    [
        event(bot_id="B1"),
        event(subtype="message_changed"),
        event(edited={"user": "U1", "ts": "4.0"}),
        event(type="message", channel_type="channel"),
        event(type="reaction_added"),
        {"type": "view_closed", "view": {}},
        {"type": "url_verification", "challenge": "c"},
        {"type": ["odd"]},
        {},
    ],
)
def test_nobody_asks_anything(payload: dict[str, Any]) -> None:
    assert read_request(payload, "d") is None


@pytest.mark.parametrize(
    "payload",
    [
        {**COMMAND, "user_id": ""},
        {**COMMAND, "text": 3},
        {**CLICK, "actions": []},
        {**CLICK, "actions": [{}, {}]},
        {**CLICK, "actions": "approve"},
        {**CLICK, "user": {"id": "U1; drop"}},
        {**CLICK, "message": []},
        {**EVENT, "event": None},
        event(user=None),
        event(text=["x"]),
        {**SUBMISSION, "view": None},
        {**SUBMISSION, "view": {"state": {"values": 1}}},
    ],
)
def test_hostile_shapes(payload: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        read_request(payload, "d")


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=300)
@given(st.sampled_from(GENUINE), st.data())
def test_any_damage_is_read_or_malformed(payload: dict[str, Any], data: st.DataObject) -> None:
    damaged = json.loads(json.dumps(payload))
    part = damaged
    while True:
        key = data.draw(st.sampled_from(sorted(part)))
        if not isinstance(part[key], dict) or not part[key] or data.draw(st.booleans()):
            part[key] = data.draw(JSON)
            break
        part = part[key]
    try:
        request = read_request(damaged, "d")
    except Malformed:
        return
    assert request is None or all(isinstance(value, str | dict | float) for value in asdict(request).values())


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xff", "application/json"),
        (b"[1]", "application/json"),
        (b"{", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"payload=%7B", "application/x-www-form-urlencoded"),
        (b"payload=3", "application/x-www-form-urlencoded"),
        (b"no form at all", "text/plain"),
        (b'{"a":"\\u0000"}', "application/json"),
        (b'{"a":"\\ud800"}', "application/json"),
        (b"a=%00", "application/x-www-form-urlencoded"),
        (b"&".join(b"a%d=1" % number for number in range(300)), "application/x-www-form-urlencoded"),
    ],
)
def test_bodies_that_cannot_be_read(body: bytes, kind: str) -> None:
    with pytest.raises(Malformed):
        parse_payload(body, kind)


def test_bodies() -> None:
    form = "application/x-www-form-urlencoded"
    assert parse_payload(urlencode(COMMAND).encode(), form) == COMMAND
    assert parse_payload(urlencode({"payload": json.dumps(CLICK)}).encode(), form) == CLICK
    assert parse_payload(json.dumps(EVENT).encode(), "application/json; charset=utf-8") == EVENT
    assert parse_payload(b'{"a": "\\\\u0000"}', "application/json") == {"a": "\\u0000"}


def test_the_delivery_id_is_slacks_or_a_digest() -> None:
    assert delivery_id(EVENT, b"1") == delivery_id(EVENT, b"2") == "Ev1"
    assert delivery_id(COMMAND, b"1") != delivery_id(COMMAND, b"2")
    assert delivery_id({**COMMAND, "event_id": "Ev1"}, b"1") == delivery_id(COMMAND, b"1")
    assert len(delivery_id({**EVENT, "event_id": "../x"}, b"1")) == 64


def test_the_same_click_and_the_same_submission_are_one_delivery() -> None:
    click = {**CLICK, "actions": [{**CLICK["actions"][0], "action_ts": "5.000001"}]}
    again = {**click, "trigger_id": "9.9", "response_url": "https://hooks.example.com/y"}
    assert delivery_id(click, b"one") == delivery_id(again, b"two")
    changes: list[dict[str, Any]] = [
        {"user": {"id": "U2"}},
        {"actions": [{**CLICK["actions"][0], "action_ts": "5.000002"}]},
        {"actions": [{**click["actions"][0], "action_id": "reject"}]},
        {"container": {"type": "message", "message_ts": "2.000002"}},
    ]
    others = {delivery_id({**click, **change}, b"one") for change in changes}
    view = {**SUBMISSION["view"], "id": "V1", "hash": "h1"}
    sent = {**SUBMISSION, "view": view}
    assert delivery_id(sent, b"one") == delivery_id({**sent, "trigger_id": "9.9"}, b"two")
    others |= {
        delivery_id(other, b"one")
        for other in (
            {**sent, "view": {**view, "hash": "h2"}},
            {**sent, "user": {"id": "U2"}},
            CLICK,
            SUBMISSION,
        )
    }
    assert len(others | {delivery_id(click, b"one"), delivery_id(sent, b"one")}) == len(changes) + 4 - 1 + 2


@given(st.sampled_from(GENUINE), st.sampled_from(["user", "view", "actions", "container", "type"]), JSON)
def test_a_damaged_payload_has_an_id_all_the_same(payload: dict[str, Any], key: str, value: Any) -> None:
    assert delivery_id({**payload, key: value}, b"body")


@pytest.mark.parametrize(
    ("payload", "timestamp", "at"),
    [
        (EVENT, "9", 3.000001),
        (event(ts="", event_ts="4.5"), "9", 4.5),
        ({**CLICK, "actions": [{**CLICK["actions"][0], "action_ts": "5.25"}]}, "9", 5.25),
        (COMMAND, "9", 9.0),
        (SUBMISSION, "9", 9.0),
        (COMMAND, "", 0.0),
        (event(ts="9" * 40), "", 0.0),
        ({**CLICK, "actions": "?"}, "x", 0.0),
    ],
    ids=["mention", "event", "click", "command", "submission", "socket", "damaged time", "damaged"],
)
def test_when_it_was_written(payload: dict[str, Any], timestamp: str, at: float) -> None:
    """By Slack's clock: the message's or click's own time, which a repeated delivery has too, else the request's."""
    assert written_at(payload, timestamp) == at
