"""Records that the stand-in for Slack keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class User:
    id: str
    name: str
    full_name: str
    bot: bool = False
    team: str = "T0ACME"
    """Their own workspace. Those of others are in channels that are shared with it."""


@dataclass
class Channel:
    """A channel, or a user's direct messages with the bot if `im` is true. members: user ids."""

    id: str
    name: str
    members: set[str] = field(default_factory=set)
    im: bool = False
    private: bool = False


@dataclass
class Message:
    """A message in its current form. The bot's own key is in metadata.event_payload."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    thread_ts: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    edited: int = 0
    reactions: dict[str, list[str]] = field(default_factory=dict)
    only_for: str = ""
    """The user who alone sees an ephemeral message, else empty."""

    def button(self, action_id: str) -> dict[str, Any] | None:
        """Return the message's element with this action_id, with its block_id, or None."""
        return find_element(self.blocks, action_id)


@dataclass
class OpenView:
    """A modal that a user has open, or their Home tab. errors: block id to the error below that field."""

    id: str
    user: str
    view: dict[str, Any]
    hash: str
    root: str
    previous: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    failure: str = ""

    def payload(self) -> dict[str, Any]:
        """Return the view as Slack sends it."""
        return {
            **self.view,
            "id": self.id,
            "hash": self.hash,
            "root_view_id": self.root,
            "previous_view_id": self.previous or None,
        }


@dataclass
class Trigger:
    """A trigger_id, which opens one view within 3 s. view: the view that was clicked in, or empty."""

    user: str
    created: float
    view: str = ""
    used: bool = False


@dataclass
class ResponseUrl:
    """A response_url, which takes 5 answers within 30 min. ts: the message that was clicked, or empty."""

    user: str
    channel: str
    created: float
    ts: str = ""
    thread_ts: str = ""
    uses: int = 0


@dataclass(frozen=True)
class Call:
    """One call of the Web API. error: why it was refused."""

    method: str
    params: dict[str, Any]
    error: str = ""


@dataclass(frozen=True)
class Answer:
    """The bot's answer. status: 0 if there was none in time. body: the JSON object, or {"text": …}."""

    status: int
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the bot accepted the request."""
        return self.status == 200


def find_element(blocks: list[dict[str, Any]], action_id: str) -> dict[str, Any] | None:
    """Return the interactive element with this action_id, with its block_id, or None."""
    for block in blocks:
        for element in [*block.get("elements", []), block.get("accessory"), block.get("element")]:
            if isinstance(element, dict) and element.get("action_id") == action_id:
                return {**element, "block_id": block["block_id"]}
    return None
