"""Socket Mode end to end over the stand-in's WebSocket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.playground.slack import SlackStandIn
from bot.slack.chat import Slack
from bot.slack.socket_mode import SocketMode
from tests.integration.slack.support import Inbox, button, modal, slack_app, until


@pytest.fixture
def connected(stand_in: SlackStandIn, inbox: Inbox) -> Iterator[SocketMode]:
    state = stand_in.state
    entry = slack_app(inbox, stand_in.api_url, state.bot_token, "")
    socket = SocketMode(entry, state.app_token, api_url=stand_in.api_url, pause=0.1, ping=0.2).start()
    until(lambda: stand_in.socket_mode.connected)
    yield socket
    socket.close()


def test_everything_comes_by_the_socket(
    stand_in: SlackStandIn, connected: SocketMode, inbox: Inbox, slack: Slack
) -> None:
    assert connected.connected
    assert stand_in.slash("ann", "#infra", "plan prod").ok
    assert (inbox.last.kind, inbox.last.text, inbox.last.user) == ("command", "plan prod", "U0ANN")
    stand_in.mention("bob", "#infra", "apply prod")
    assert (inbox.last.kind, inbox.last.text) == ("mention", "apply prod")
    posted = slack.post(
        "#infra", "card", [{"type": "actions", "elements": [button("Link", "modal:x", "v" * 900)]}]
    )
    assert stand_in.click("ann", "#infra", posted.ts, "modal:x").ok
    assert (inbox.last.action_id, len(inbox.last.value)) == ("modal:x", 900)
    inbox.modal = lambda _request: modal()
    stand_in.click("ann", "#infra", posted.ts, "modal:x")
    (view,) = stand_in.modals("ann")
    inbox.errors = lambda _request: {"login": "no"}
    stand_in.submit("ann", view.id, {"login": "x"})
    assert stand_in.modals("ann")[0].errors == {"login": "no"}


def test_what_is_not_stored_is_not_acknowledged(
    stand_in: SlackStandIn, connected: SocketMode, inbox: Inbox
) -> None:
    inbox.failures = 1
    stand_in.delivery.retries, stand_in.delivery.ack_seconds = (0.0,), 0.5
    stand_in.mention("ann", "#infra", "plan")
    stand_in.delivery.wait_for_retries()
    assert [answer.status for _, _, answer in stand_in.delivery.log] == [0, 200]
    assert inbox.seen == [True]


def test_a_malformed_payload_breaks_nothing(
    stand_in: SlackStandIn, connected: SocketMode, inbox: Inbox
) -> None:
    stand_in.delivery.ack_seconds = 0.3
    assert stand_in.forge_click("dave", "#infra", "1.0", "x", actions=3).status == 0
    stand_in.delivery.ack_seconds = 3
    assert stand_in.slash("ann", "#infra", "plan").ok


@pytest.mark.parametrize("ask", [True, False])
def test_it_connects_again(stand_in: SlackStandIn, connected: SocketMode, inbox: Inbox, ask: bool) -> None:
    opened = sum(call.method == "apps.connections.open" for call in stand_in.state.calls)
    stand_in.socket_mode.disconnect(ask=ask)
    until(lambda: sum(call.method == "apps.connections.open" for call in stand_in.state.calls) > opened)
    until(lambda: stand_in.socket_mode.connected == 1 and connected.connected)
    assert stand_in.slash("ann", "#infra", "plan").ok


def test_slack_is_down_at_the_start(stand_in: SlackStandIn, inbox: Inbox) -> None:
    stand_in.faults.inject("apps.connections.open", 500, times=2)
    entry = slack_app(inbox, stand_in.api_url, stand_in.state.bot_token, "")
    socket = SocketMode(entry, stand_in.state.app_token, api_url=stand_in.api_url, pause=0.05).start()
    try:
        until(lambda: stand_in.socket_mode.connected)
    finally:
        socket.close()


def test_closing_while_slack_is_down(inbox: Inbox) -> None:
    entry = slack_app(inbox, "http://127.0.0.1:9/api/", "xoxb-x", "")
    socket = SocketMode(entry, "xapp-x", api_url="http://127.0.0.1:9/api/", pause=60).start()
    assert not socket.connected
    socket.close()
