"""Errors of the stand-in for Slack."""

from __future__ import annotations

from collections.abc import Sequence


class Refusal(Exception):
    """An error of Slack's API. messages: Slack's hints. retry_after: seconds, which make it a 429."""

    def __init__(self, error: str, messages: Sequence[str] = (), *, retry_after: int = 0) -> None:
        super().__init__(error)
        self.error = error
        self.messages = tuple(messages)
        self.retry_after = retry_after


class NotOffered(Exception):
    """Slack's UI does not offer an action: no such button or channel, a required field is empty."""
