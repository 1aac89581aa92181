"""Port for Slack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

Blocks = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Posted:
    """A posted message."""

    channel: str
    ts: str

    @property
    def at(self) -> datetime:
        """When it was posted, by Slack's clock."""
        return datetime.fromtimestamp(float(self.ts), UTC)


@dataclass(frozen=True)
class ChatUser:
    """A Slack user. teams: the workspaces that they are a member of: their own, and with an organization the others in it.
    name: of the account, unique in a workspace; full_name: as they wrote it. active: a person who is not deactivated."""

    id: str
    teams: frozenset[str]
    name: str
    full_name: str = ""
    active: bool = True


class ChatError(Exception):
    """Slack refused a call, or did not answer.

    retry_after: seconds after which to retry, None if that does not help. code: Slack's error code, such as
    `channel_not_found`, `message_not_found`, `not_in_channel`.
    """

    def __init__(self, message: str, *, code: str = "", retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after = retry_after


class Chat(Protocol):
    """All methods raise ChatError."""

    def post(
        self, channel: str, text: str, blocks: Blocks = (), *, thread: str = "", key: str = ""
    ) -> Posted:
        """Post a message. key: stored in its metadata, so that `find` can find it after a lost response."""
        ...

    def update(self, channel: str, ts: str, text: str, blocks: Blocks = ()) -> datetime | None:
        """Replace a message; return when, by Slack's clock, or None if its answer does not say."""
        ...

    def find(self, channel: str, key: str, *, thread: str = "") -> Posted | None:
        """Return the bot's own recent message with this `key`."""
        ...

    def ephemeral(
        self, channel: str, user: str, text: str, blocks: Blocks = (), *, thread: str = ""
    ) -> None: ...

    def conversation(self, user: str) -> str:
        """Return the channel of the bot's direct messages with `user`, opening it if needed."""
        ...

    def direct(self, user: str, text: str, blocks: Blocks = ()) -> Posted:
        """Send a direct message."""
        ...

    def respond(self, response_url: str, text: str, blocks: Blocks = (), *, replace: bool = False) -> None:
        """Answer by a response_url, which works 5 times within 30 minutes."""
        ...

    def open_modal(self, trigger_id: str, view: dict[str, Any]) -> None:
        """Open a modal. A trigger_id works once, within 3 s of the click."""
        ...

    def team(self) -> str:
        """Return the id of the workspace that the bot's token belongs to."""
        ...

    def user(self, user: str) -> ChatUser:
        """Return a user as Slack has them now, whichever workspace they are from."""
        ...

    def permalink(self, channel: str, ts: str) -> str: ...
