"""User errors apart from faults.

A user error is shown word for word. Anything else is a fault: the user gets a reference id, the log the traceback.
"""

from __future__ import annotations

import secrets


class UserError(Exception):
    """What somebody asked for cannot be done, and they can do something about it.

    what: one clear sentence of what is the matter and why. next_step: the exact next command or action, or empty.
    """

    def __init__(self, what: str, *, next_step: str = "") -> None:
        super().__init__(f"{what} {next_step}".strip())
        self.what = what
        self.next_step = next_step


class TransientError(Exception):
    """Something outside did not answer, and trying again later helps. `retry_after` is in seconds."""

    def __init__(self, message: str, *, retry_after: float = 5.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class GitUnavailable(TransientError):
    """The git remote did not answer, or refused for now."""


def reference() -> str:
    """A short id that ties a fault's message to its log line, such as `T-7K3M9Q` (no letters easily confused)."""
    alphabet = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
    return "T-" + "".join(secrets.choice(alphabet) for _ in range(6))
