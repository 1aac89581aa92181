"""Slack as the services see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Blocks = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Posted:
    channel: str
    ts: str


class ChatError(Exception):
    """Slack refused or did not answer. `retry_after` in seconds where waiting helps, else None (a final no).

    `code` is Slack's error word, such as `channel_not_found`, `message_not_found`, `not_in_channel`.
    """

    def __init__(self, message: str, *, code: str = "", retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after = retry_after


class Chat(Protocol):
    """Every method raises ChatError."""

    def post(
        self, channel: str, text: str, blocks: Blocks = (), *, thread: str = "", key: str = ""
    ) -> Posted:
        """Post a message. `key` goes into its metadata, so that `find` sees it again after a lost response."""
        ...

    def update(self, channel: str, ts: str, text: str, blocks: Blocks = ()) -> None: ...

    def find(self, channel: str, key: str, *, thread: str = "") -> Posted | None:
        """The bot's own recent message with this `key`."""
        ...

    def ephemeral(
        self, channel: str, user: str, text: str, blocks: Blocks = (), *, thread: str = ""
    ) -> None: ...

    def conversation(self, user: str) -> str:
        """The channel of the bot's direct conversation with `user`, opened where it is not."""
        ...

    def direct(self, user: str, text: str, blocks: Blocks = ()) -> Posted:
        """A direct message."""
        ...

    def respond(self, response_url: str, text: str, blocks: Blocks = (), *, replace: bool = False) -> None:
        """Answer by a response_url (5 uses in 30 minutes)."""
        ...

    def open_modal(self, trigger_id: str, view: dict[str, Any]) -> None:
        """Within 3 s of the click, once."""
        ...

    def team(self) -> str:
        """The workspace that the bot's token is of, asked once."""
        ...

    def permalink(self, channel: str, ts: str) -> str: ...

    def user_name(self, user: str) -> str: ...
