"""One type for every request that people make in Slack."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["command", "action", "mention", "submission", "home"]


class Malformed(Exception):
    """The payload does not have the shape that Slack documents."""


@dataclass(frozen=True)
class SlackRequest:
    """A command, mention, click, submission or opened Home tab. Fields that a kind does not have are empty.

    Stored as JSON: `dataclasses.asdict` writes it, `SlackRequest(**data)` reads it back. So fields are only ever added,
    with a default.

    text: of a command or mention, without Slack's markup. message_ts, thread_ts: the message of the click or mention,
    and the parent message of its thread (empty outside a thread). action_id, value: of a click; for a submission, the
    view's callback_id and private_metadata. view: of a submission or of a click inside a view, as Slack sends it.
    delivery_id: Slack's event_id, else a digest; the same for a repeated delivery, click or submission.
    written_at: when the person wrote or clicked, in seconds since 1970 by Slack's clock; 0 if Slack does not say, which is
    only so for slash commands and submissions in Socket Mode: they are never sent later.
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
    written_at: float = 0.0


@dataclass(frozen=True)
class SlackDelivery:
    """A request to store under its unique `id` before Slack is answered."""

    id: str
    request: SlackRequest
