"""Errors that are shown to people, and errors that are worth retrying.

The text of a UserError is shown as it is. Any other exception is an internal error: people get a reference, and the log
has the traceback.
"""

from __future__ import annotations

import secrets


class UserError(Exception):
    """A request that cannot be carried out, for a reason the user can act on.

    what: one sentence that says what is wrong and why. next_step: the exact next command or action, or "".
    """

    code = "refused"
    """A machine-readable reason, for the audit record and for tests."""

    def __init__(self, what: str, *, next_step: str = "") -> None:
        super().__init__(f"{what} {next_step}".strip())
        self.what = what
        self.next_step = next_step


class TransientError(Exception):
    """An external service did not answer; trying again in `retry_after` seconds may help."""

    def __init__(self, message: str, *, retry_after: float = 5.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class GitUnavailable(TransientError):
    """The git remote did not answer, or refused temporarily."""


def reference() -> str:
    """Return a short random id, such as `T-7K3M9Q`, that links an internal error's message to its log entry.

    It has no characters that are easily confused, such as 0 and O.
    """
    alphabet = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
    return "T-" + "".join(secrets.choice(alphabet) for _ in range(6))
