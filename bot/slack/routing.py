"""What Bolt gets to see of a payload.

Bolt routes by a few fields and reads many more on the way, some so trustingly that an odd shape raises inside its own
error handler. So it gets just those few; the listeners have the SlackRequest.
"""

from __future__ import annotations

from bot.slack.events import Payload
from bot.slack.request import Malformed, SlackRequest


def routed(payload: Payload, request: SlackRequest | None) -> Payload:
    """The smallest payload that Bolt sends to the same listener; None is Slack's question at the set-up of a URL.

    payload: one that `read` has taken. Raises Malformed.
    """
    if request is None:
        challenge = payload.get("challenge")
        if not isinstance(challenge, str):
            raise Malformed("challenge: not a text")
        return {"type": "url_verification", "challenge": challenge}
    if request.kind == "command":
        return {"command": payload["command"]}
    if request.kind == "action":
        action = {"type": "button", "action_id": request.action_id, "block_id": ""}
        return {"type": "block_actions", "actions": [action]}
    if request.kind == "submission":
        return {"type": "view_submission", "view": {"type": "modal", "callback_id": request.action_id}}
    return {"type": "event_callback", "event": {"type": payload["event"]["type"]}}
