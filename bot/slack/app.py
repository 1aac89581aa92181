"""Verify requests from Slack and dispatch them through Bolt, over HTTP and Socket Mode alike."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from slack_bolt import App, BoltContext, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.slack.chat import web_client
from bot.slack.events import read_request
from bot.slack.listeners import REQUEST, Listeners, SlackHandlers
from bot.slack.payload import Payload, check_payload, delivery_id, parse_payload, written_at
from bot.slack.request import Malformed
from bot.slack.routing import bolt_payload
from bot.slack.signature import verify

Answer = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""

MAX_BODY = 1_000_000
"""Bytes of a request's body: well above Slack's largest payload (a view of 100 blocks of 3,000 characters)."""

MODAL_TIMEOUT = 2.5
"""Seconds for opening a modal. Slack: a trigger_id is valid for 3 s."""

_ANY = re.compile(r".*", re.DOTALL)


def build_app(
    client: WebClient,
    signing_secret: str,
    *,
    command_name: str,
    handlers: SlackHandlers,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> SlackApp:
    """Return the entry point for Slack's requests. Makes no call to Slack, so it can be built while Slack is down.

    client: its token, API address and timeout are used to open modals. command_name: such as `/infra`.
    """
    bolt = App(
        name="towpath",
        logger=logging.getLogger("bot.slack.bolt"),
        # No token, and our own `authorize`: with a token, Bolt calls auth.test at the start or at the first request.
        client=WebClient(base_url=client.base_url, timeout=client.timeout, retry_handlers=[]),
        authorize=_authorize,
        request_verification_enabled=False,  # SlackApp.handle verifies; Bolt raises for a non-numeric timestamp
        ignoring_self_events_enabled=False,  # needs the bot's id; `read_request` ignores messages from bots
        process_before_response=True,  # the row is written before Slack gets its 200, in the caller's thread
    )
    modal_client = web_client(client.token or "", api_url=client.base_url, timeout=MODAL_TIMEOUT)
    listeners = Listeners(handlers, modal_client, command_name)
    bolt.command(command_name)(listeners.store)
    bolt.command(_ANY)(listeners.other_command)
    for event in ("app_mention", "message", "app_home_opened"):
        bolt.event(event)(listeners.store)
    bolt.action(_ANY)(listeners.click)
    bolt.view(_ANY)(listeners.submit)
    bolt.error(listeners.failed)
    return SlackApp(bolt, signing_secret, now)


class SlackApp:
    """Answers requests from Slack. Safe to use from many threads."""

    def __init__(self, bolt: App, signing_secret: str, now: Callable[[], datetime]) -> None:
        self.bolt = bolt
        self._secret = signing_secret
        self._now = now

    def handle(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Answer a POST from Slack: 413 too large, 401 wrong signature, 400 malformed, else Bolt's answer.

        Bolt's answer is 503 if the delivery could not be stored. Never raises for anything in `body` or `headers`.
        """
        lower = {name.lower(): value for name, value in headers.items()}
        if len(body) > MAX_BODY:
            return _plain(413, "too large")
        timestamp = lower.get("x-slack-request-timestamp", "")
        if not verify(self._secret, body, timestamp, lower.get("x-slack-signature", ""), self._now()):
            return _plain(401, "wrong signature")
        try:
            payload = parse_payload(body, lower.get("content-type", ""))
            answer = self._dispatch(payload, delivery_id(payload, timestamp.encode() + body), timestamp)
        except Malformed as error:
            return _plain(400, f"malformed: {error}")
        return answer.status, answer.first_headers(), answer.body.encode()

    def dispatch(self, payload: Payload) -> BoltResponse:
        """Answer a payload from Socket Mode. Raises Malformed."""
        check_payload(payload)
        return self._dispatch(payload, delivery_id(payload, json.dumps(payload, sort_keys=True).encode()))

    def _dispatch(self, payload: Payload, delivery: str, timestamp: str = "") -> BoltResponse:
        request = read_request(payload, delivery)
        if request is not None:
            request = replace(request, written_at=written_at(payload, timestamp))
        if request is None and payload.get("type") != "url_verification":
            return BoltResponse(status=200)  # not for us: `ssl_check`, and kinds that Slack may add
        bolt_request = BoltRequest(
            body=bolt_payload(payload, request), mode="socket_mode", context={REQUEST: request}
        )
        return self.bolt.dispatch(bolt_request)


def _authorize(context: BoltContext) -> AuthorizeResult:
    """Accept every signed request; the person's permissions are checked when the request is processed."""
    return AuthorizeResult(enterprise_id=context.enterprise_id, team_id=context.team_id)


def _plain(status: int, text: str) -> Answer:
    return status, {"content-type": "text/plain; charset=utf-8"}, text.encode()
