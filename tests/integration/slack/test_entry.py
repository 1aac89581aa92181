"""SlackApp.handle: what Slack, and whoever pretends to be Slack, gets as an answer."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.playground.slack import SlackStandIn, State
from bot.slack.app import MAX_BODY, SlackApp
from tests.integration.slack.support import Inbox, slack_app
from tests.unit.slack.signatures import sign
from tests.unit.slack.test_events import CLICK, COMMAND, EVENT, GENUINE, JSON

SECRET = State().signing_secret


def app(inbox: Inbox) -> SlackApp:
    """Nothing listens at this API address: the bot starts and takes deliveries while Slack is down."""
    return slack_app(inbox, "http://127.0.0.1:9/api/", "xoxb-x", SECRET)


def signed(body: bytes, kind: str = "application/json") -> dict[str, str]:
    stamp = str(int(time.time()))
    signature = sign(SECRET, body, stamp)
    return {"Content-Type": kind, "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}


def ask(entry: SlackApp, payload: Any) -> tuple[int, str]:
    body = json.dumps(payload).encode()
    status, _headers, text = entry.handle(body, signed(body))
    return status, text.decode()


def test_it_takes_each_kind_without_slack() -> None:
    inbox = Inbox()
    entry = app(inbox)
    assert [ask(entry, payload) for payload in GENUINE] == [(200, "")] * 4
    assert [request.kind for request in inbox.rows.values()] == ["command", "action", "mention", "submission"]


def test_a_repeated_event_is_a_duplicate() -> None:
    inbox = Inbox()
    entry = app(inbox)
    assert [ask(entry, EVENT), ask(entry, EVENT)] == [(200, ""), (200, "")]
    assert (list(inbox.rows), inbox.seen) == (["Ev1"], [True, False])


def test_url_verification_ssl_check_and_other_kinds() -> None:
    inbox = Inbox()
    entry = app(inbox)
    assert ask(entry, {"type": "url_verification", "challenge": "c"}) == (200, '{"challenge": "c"}')
    for payload in ({"ssl_check": "1"}, {"type": "shortcut", "callback_id": "x"}, {"type": "to_come"}, {}):
        assert ask(entry, payload)[0] == 200
    assert inbox.rows == {}


def test_another_command_says_which_is_ours() -> None:
    inbox = Inbox()
    status, text = ask(app(inbox), {**COMMAND, "command": "/other"})
    assert (status, inbox.rows) == (200, {})
    assert "/infra help" in text


def test_wrong_signature_size_and_shape() -> None:
    entry, body = app(Inbox()), json.dumps(EVENT).encode()
    good = signed(body)
    assert entry.handle(body, {})[0] == 401
    assert entry.handle(body, {**good, "X-Slack-Signature": "v0=0"})[0] == 401
    assert entry.handle(body, {**good, "X-Slack-Request-Timestamp": "soon"})[0] == 401
    assert entry.handle(body + b" ", good)[0] == 401
    assert entry.handle(b"x" * (MAX_BODY + 1), good)[0] == 413
    assert ask(entry, [1])[0] == 400
    assert ask(entry, {**EVENT, "event": 3})[0] == 400


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.sampled_from(GENUINE),
    st.sampled_from(
        [
            "type",
            "team",
            "user",
            "view",
            "enterprise",
            "channel",
            "authorizations",
            "event",
            "actions",
            "is_ext_shared_channel",
            "item",
        ]
    ),
    JSON,
)
def test_damaged_payloads_are_never_a_fault(payload: dict[str, Any], key: str, value: Any) -> None:
    assert ask(app(Inbox()), {**payload, key: value})[0] in (200, 400)


def test_nothing_is_acknowledged_before_it_is_stored() -> None:
    inbox = Inbox(failures=4)
    entry = app(inbox)
    assert [ask(entry, payload)[0] for payload in (EVENT, CLICK)] == [503, 503]
    status, text = ask(entry, COMMAND)
    assert status == 200
    assert "run the command again" in json.loads(text)["text"]
    assert "database" not in text
    assert ask(entry, EVENT)[0] == 503
    assert ask(entry, EVENT) == (200, "")


def test_more_than_five_at_once() -> None:
    """Bolt's own pool has five threads, and the sixth request would get 404 after 3 s."""
    inbox = Inbox(delay=0.2)
    entry = app(inbox)
    events = [{**EVENT, "event_id": f"Ev{number}"} for number in range(12)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda payload: ask(entry, payload), events))
    assert answers == [(200, "")] * 12
    assert len(inbox.rows) == 12


def test_a_stranger_over_http(stand_in: SlackStandIn, bot: object, inbox: Inbox) -> None:
    body = json.dumps(EVENT).encode()
    headers = stand_in.delivery.sign(body, "application/json")
    assert stand_in.delivery.raw(body, headers).ok
    assert stand_in.delivery.raw(body, {**headers, "X-Slack-Signature": "v0=1"}).status == 401
    assert stand_in.delivery.raw(b"\xff\x00", {"Content-Type": "text/plain"}).status == 401


@pytest.mark.parametrize("name", ["content-type", "Content-Type", "CONTENT-TYPE"])
def test_header_names_in_any_case(name: str) -> None:
    body = json.dumps(EVENT).encode()
    headers = {key.lower(): value for key, value in signed(body).items() if key != "Content-Type"}
    assert app(Inbox()).handle(body, {**headers, name: "application/json"})[0] == 200
