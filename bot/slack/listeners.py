"""Bolt listeners: store each request, or open or check a modal while Slack waits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from slack_bolt import Ack, BoltContext, BoltResponse
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.errors import reference
from bot.slack.request import SlackDelivery, SlackRequest

REQUEST = "slack_request"
"""The key of the SlackRequest in Bolt's context."""

MODAL_PREFIX = "modal:"
"""How the action_id of a button that may open a modal starts."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SlackHandlers:
    """What the application does with requests from Slack.

    store: stores a delivery under its unique id; returns True if it is new. All other work happens later.
    open_modal: returns the view to open for a click on a button whose action_id starts with MODAL_PREFIX (for a click
    inside a modal, the view that replaces it), or None to store the click instead.
    check_submission: returns the errors of a submitted view, block_id → text for people; None or empty if it is valid.
    """

    store: Callable[[SlackDelivery], bool]
    open_modal: Callable[[SlackRequest], dict[str, Any] | None] = lambda _request: None
    check_submission: Callable[[SlackRequest], Mapping[str, str] | None] = lambda _request: None


class Listeners:
    """Listeners to register with Bolt. Each stores a row, acknowledges and returns.

    client: opens and updates modals. command_name: such as `/infra`.
    """

    def __init__(self, handlers: SlackHandlers, client: WebClient, command_name: str) -> None:
        self._handlers = handlers
        self._client = client
        self._command_name = command_name

    def store(self, context: BoltContext, ack: Ack) -> None:
        request: SlackRequest = context[REQUEST]
        if not self._handlers.store(SlackDelivery(request.delivery_id, request)):
            _log.info("duplicate slack delivery ignored: %s", request.delivery_id)
        ack()

    def click(self, context: BoltContext, ack: Ack) -> None:
        request: SlackRequest = context[REQUEST]
        opens_modal = request.action_id.startswith(MODAL_PREFIX)
        view = self._handlers.open_modal(request) if opens_modal else None
        if view is None:
            self.store(context, ack)
            return
        if request.view.get("type") == "modal":
            self._update_modal(request, view)
        else:
            self._client.views_open(trigger_id=request.trigger_id, view=view)
        ack()

    def _update_modal(self, request: SlackRequest, view: dict[str, Any]) -> None:
        """Replace the modal that was clicked in.

        Sends the hash of the clicked version, so that the second of two quick clicks does not undo the first.
        """
        clicked = {"view_id": str(request.view.get("id", "")), "hash": str(request.view.get("hash", ""))}
        try:
            self._client.views_update(view=view, **clicked)
        except SlackApiError as error:
            if error.response.get("error") not in ("hash_conflict", "not_found"):
                raise

    def submit(self, context: BoltContext, ack: Ack) -> None:
        errors = self._handlers.check_submission(context[REQUEST])
        if errors:
            ack(response_action="errors", errors=dict(errors))
        else:
            self.store(context, ack)

    def other_command(self, ack: Ack) -> None:
        ack(f"Towpath does not use this command. Run `{self._command_name} help`.")

    def failed(self, error: Exception, context: BoltContext) -> BoltResponse:
        """Answer a request that could not be stored.

        After anything but 200, Slack sends an event again, shows a click as failed, and keeps a submitted modal open.
        Only a slash command needs a text.
        """
        mark = reference()
        _log.error("slack request failed: %s", mark, exc_info=error)
        request: SlackRequest | None = context.get(REQUEST)
        if request is None or request.kind != "command":
            return BoltResponse(status=503)
        text = f"Internal error ({mark}). Nothing was done; run the command again."
        return BoltResponse(status=200, body={"response_type": "ephemeral", "text": text})
