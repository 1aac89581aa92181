"""One shape for everything that people do in Slack."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["command", "action", "mention", "submission", "home"]


class Malformed(Exception):
    """A payload that Slack would not send."""


@dataclass(frozen=True)
class SlackRequest:
    """What somebody asked for. Empty text stands for what this kind does not have.

    Plain data: `dataclasses.asdict` gives JSON, `SlackRequest(**data)` reads it back.

    text: of a command or a mention, without Slack's notation. message_ts, thread_ts: the message of the click or the
    mention, and the parent of its thread (empty outside a thread). action_id, value: of a click; of a submission the
    view's callback_id and private_metadata. view: of a submission, and of a click inside a view, as Slack gives it.
    delivery_id: Slack's event_id, else a digest of the request: the same for a repeated delivery, click or submission.
    """

    kind: Kind
    team: str
    user: str
    delivery_id: str
    user_name: str = ""
    channel: str = ""
    channel_name: str = ""
    text: str = ""
    thread_ts: str = ""
    message_ts: str = ""
    action_id: str = ""
    value: str = ""
    response_url: str = ""
    trigger_id: str = ""
    view: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SlackDelivery:
    """A request to store under its unique `id` before Slack gets its answer."""

    id: str
    request: SlackRequest
