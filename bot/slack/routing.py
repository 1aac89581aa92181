"""Reduce a payload to the fields that Bolt routes by.

Bolt reads many more fields on the way, and an unexpected shape in some of them raises inside its own error handler. So
it gets only the fields it needs; listeners use the SlackRequest.
"""

from __future__ import annotations

from bot.slack.payload import Payload
from bot.slack.request import Malformed, SlackRequest


def bolt_payload(payload: Payload, request: SlackRequest | None) -> Payload:
    """Return the smallest payload that Bolt routes to the same listener.

    payload: accepted by `read_request`. request: None for Slack's url_verification. Raises Malformed.
    """
    if request is None:
        challenge = payload.get("challenge")
        if not isinstance(challenge, str):
            raise Malformed("challenge is not a string")
        return {"type": "url_verification", "challenge": challenge}
    if request.kind == "command":
        return {"command": payload["command"]}
    if request.kind == "action":
        action = {"type": "button", "action_id": request.action_id, "block_id": ""}
        return {"type": "block_actions", "actions": [action]}
    if request.kind == "submission":
        return {"type": "view_submission", "view": {"type": "modal", "callback_id": request.action_id}}
    return {"type": "event_callback", "event": {"type": payload["event"]["type"]}}
