"""Slack's no."""

from __future__ import annotations

from collections.abc import Sequence


class Refused(Exception):
    """A refusal in Slack's own error word; `messages` are Slack's hints, `retry_after` seconds makes it a 429."""

    def __init__(self, error: str, messages: Sequence[str] = (), *, retry_after: int = 0) -> None:
        super().__init__(error)
        self.error = error
        self.messages = tuple(messages)
        self.retry_after = retry_after


class NotOffered(Exception):
    """Slack's own windows would not let a person do this: no such button, no such channel, a required field empty."""
