"""What the stand-in for Slack keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class User:
    id: str
    name: str
    full_name: str
    bot: bool = False


@dataclass
class Channel:
    """A channel, or with `im` a direct conversation of the bot with one person. members: user ids."""

    id: str
    name: str
    members: set[str] = field(default_factory=set)
    im: bool = False
    private: bool = False


@dataclass
class Message:
    """A message as it is shown now. `key` of the bot's metadata is under metadata.event_payload."""

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
    """The one user who sees it (an ephemeral message), else empty."""

    def button(self, action_id: str) -> dict[str, Any] | None:
        """The element with this action_id that the message offers now, with its block_id."""
        return find_element(self.blocks, action_id)


@dataclass
class OpenView:
    """A modal on a person's screen, or their Home tab. errors: block_id → text under the field."""

    id: str
    user: str
    view: dict[str, Any]
    hash: str
    root: str
    previous: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    trouble: str = ""

    def payload(self) -> dict[str, Any]:
        """The view as Slack sends it."""
        return {
            **self.view,
            "id": self.id,
            "hash": self.hash,
            "root_view_id": self.root,
            "previous_view_id": self.previous or None,
        }


@dataclass
class Trigger:
    """Permission to open one view within 3 s. view: the view that the click was in, or empty."""

    user: str
    made: float
    view: str = ""
    used: bool = False


@dataclass
class ResponseUrl:
    """Permission to answer 5 times within 30 min. ts: the message that was clicked, or empty."""

    user: str
    channel: str
    made: float
    ts: str = ""
    thread_ts: str = ""
    uses: int = 0


@dataclass(frozen=True)
class Call:
    """One call of the Web API as it came."""

    method: str
    params: dict[str, Any]
    error: str = ""


@dataclass(frozen=True)
class Answer:
    """What the bot answered: status 0 is no answer in time. body: the JSON object, or {"text": …}."""

    status: int
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.status == 200


def find_element(blocks: list[dict[str, Any]], action_id: str) -> dict[str, Any] | None:
    """The interactive element with this action_id, with the block_id of its block."""
    for block in blocks:
        for element in [*block.get("elements", []), block.get("accessory"), block.get("element")]:
            if isinstance(element, dict) and element.get("action_id") == action_id:
                return {**element, "block_id": block["block_id"]}
    return None
