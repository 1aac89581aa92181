"""Slack's requests into stored deliveries, by Bolt."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from slack_bolt import Ack, App, BoltContext, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.errors import reference
from bot.slack.chat import web_client
from bot.slack.events import Payload, check, delivery_id, parse, read
from bot.slack.request import Malformed, SlackDelivery, SlackRequest
from bot.slack.routing import routed
from bot.slack.signature import verify

OnDelivery = Callable[[SlackDelivery], bool]
"""Stores the delivery under its unique id: True where it is new. Whatever it does else happens later."""
OnOpenModal = Callable[[SlackRequest], dict[str, Any] | None]
"""The view to open for a click on a button whose action_id starts with MODAL, or, for one within a modal, what that
shows next; None to store the click instead."""
OnSubmit = Callable[[SlackRequest], Mapping[str, str] | None]
"""What is wrong with a submitted view: block_id → text for people; None or empty where all is well."""
Answer = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""

MODAL = "modal:"
MAX_BODY = 1_000_000
"""Bytes of a request's body: far above Slack's largest (a view of 100 blocks of 3,000 characters each)."""

_ANY = re.compile(r".*", re.DOTALL)
_log = logging.getLogger(__name__)


def build_app(
    client: WebClient,
    signing_secret: str,
    *,
    command_name: str,
    on_delivery: OnDelivery,
    on_open_modal: OnOpenModal | None = None,
    on_submit: OnSubmit | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> SlackApp:
    """The entry for Slack's requests; makes no call to Slack, so it can be built while Slack is down.

    client: whose token, API address and so on are used to open modals. command_name: such as `/infra`.
    """
    bolt = App(
        name="towpath",
        logger=logging.getLogger("bot.slack.bolt"),
        # No token here, and an own `authorize`: with a token, Bolt calls auth.test at the start or at the first request.
        client=WebClient(base_url=client.base_url, timeout=client.timeout, retry_handlers=[]),
        authorize=_authorize,
        request_verification_enabled=False,  # SlackApp.handle has done it; Bolt's raises for odd timestamps
        ignoring_self_events_enabled=False,  # needs the bot's id; `read` leaves out what bots write
        process_before_response=True,  # the row is written before Slack hears 200, in the caller's thread
    )
    # A modal must open within 3 s of the click (Slack), so this client waits less than that.
    quick = web_client(client.token or "", api_url=client.base_url, timeout=2.5)

    def store(context: BoltContext, ack: Ack) -> None:
        request: SlackRequest = context["asked"]
        if not on_delivery(SlackDelivery(request.delivery_id, request)):
            _log.info("slack delivery %s came again", request.delivery_id)
        ack()

    def click(context: BoltContext, ack: Ack) -> None:
        request: SlackRequest = context["asked"]
        wants = on_open_modal is not None and request.action_id.startswith(MODAL)
        view = on_open_modal(request) if on_open_modal and wants else None
        if view is None:
            store(context, ack)
        else:
            if request.view.get("type") == "modal":
                update_modal(request, view)
            else:
                quick.views_open(trigger_id=request.trigger_id, view=view)
            ack()

    def update_modal(request: SlackRequest, view: dict[str, Any]) -> None:
        """With the hash of what was clicked in: of two quick clicks the second does not undo the first."""
        seen = {"view_id": str(request.view.get("id", "")), "hash": str(request.view.get("hash", ""))}
        try:
            quick.views_update(view=view, **seen)
        except SlackApiError as error:
            if error.response.get("error") not in ("hash_conflict", "not_found"):
                raise

    def submit(context: BoltContext, ack: Ack) -> None:
        errors = on_submit(context["asked"]) if on_submit else None
        if errors:
            ack(response_action="errors", errors=dict(errors))
        else:
            store(context, ack)

    def other_command(ack: Ack) -> None:
        ack(f"This command is not in use here. Type `{command_name} help`.")

    def failed(error: Exception, context: BoltContext) -> BoltResponse:
        """Slack repeats an event that got no 200, marks a failed click, and keeps a failed modal open."""
        mark = reference()
        _log.error("slack request failed: %s", mark, exc_info=error)
        asked: SlackRequest | None = context.get("asked")
        if asked is None or asked.kind != "command":
            return BoltResponse(status=503)
        text = f"Something went wrong here ({mark}), and nothing was done. Send the command again."
        return BoltResponse(status=200, body={"response_type": "ephemeral", "text": text})

    bolt.command(command_name)(store)
    bolt.command(_ANY)(other_command)
    for event in ("app_mention", "message", "app_home_opened"):
        bolt.event(event)(store)
    bolt.action(_ANY)(click)
    bolt.view(_ANY)(submit)
    bolt.error(failed)
    return SlackApp(bolt, signing_secret, now)


class SlackApp:
    """Answers Slack's requests, of HTTP and of Socket Mode alike. Safe to use from many threads."""

    def __init__(self, bolt: App, signing_secret: str, now: Callable[[], datetime]) -> None:
        self.bolt = bolt
        self._secret = signing_secret
        self._now = now

    def handle(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The answer to a POST of Slack's: 401 for a wrong signature, 413 too large, 400 malformed, else Bolt's.

        503 where the delivery could not be stored. Never raises for anything in `body` or `headers`.
        """
        named = {name.lower(): value for name, value in headers.items()}
        if len(body) > MAX_BODY:
            return _plain(413, "too large")
        stamp = named.get("x-slack-request-timestamp", "")
        if not verify(self._secret, body, stamp, named.get("x-slack-signature", ""), self._now()):
            return _plain(401, "wrong signature")
        try:
            payload = parse(body, named.get("content-type", ""))
            answer = self._dispatch(payload, delivery_id(payload, stamp.encode() + body))
        except Malformed as error:
            return _plain(400, f"malformed: {error}")
        return answer.status, answer.first_headers(), answer.body.encode()

    def dispatch(self, payload: Payload) -> BoltResponse:
        """The answer to a payload of Socket Mode. Raises Malformed."""
        check(payload)
        return self._dispatch(payload, delivery_id(payload, json.dumps(payload, sort_keys=True).encode()))

    def _dispatch(self, payload: Payload, delivery: str) -> BoltResponse:
        request = read(payload, delivery)
        if request is None and payload.get("type") != "url_verification":
            return BoltResponse(status=200)  # also `ssl_check`, and kinds to come: nothing is asked of us
        asked = BoltRequest(body=routed(payload, request), mode="socket_mode", context={"asked": request})
        return self.bolt.dispatch(asked)


def _authorize(context: BoltContext) -> AuthorizeResult:
    """Any request with a right signature; what the person may do is asked later, on the server."""
    return AuthorizeResult(enterprise_id=context.enterprise_id, team_id=context.team_id)


def _plain(status: int, text: str) -> Answer:
    return status, {"content-type": "text/plain; charset=utf-8"}, text.encode()
