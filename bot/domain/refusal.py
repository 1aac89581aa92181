"""What gates return, and how use cases refuse.

A gate returns `Allowed` or `Refused`, so that all gates can be asked. A use case raises `Refusal`, which bot/chat turns
into a reply.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.errors import UserError


@dataclass(frozen=True)
class Allowed:
    """A gate that lets an apply pass; `ground` says why, for the audit record."""

    ground: str = ""


@dataclass(frozen=True)
class Refused:
    """A gate that refuses: a stable code, what is wrong, and the next command or action. until: when the refusal ends by
    itself (UTC), or None."""

    code: str
    fact: str
    next_step: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class GateAnswer:
    """One gate's answer, for the audit record and for status pages: whether it passed, and why."""

    gate: str
    passed: bool
    ground: str


class Refusal(UserError):
    """A use case refuses: the code, fact and next step of a `Refused`, raised."""

    def __init__(self, code: str, fact: str, next_step: str = "") -> None:
        super().__init__(fact, next_step=next_step)
        self.code = code


def require(refused: Refused | None) -> None:
    """Raise Refusal if a gate or a check refused."""
    if refused is not None:
        raise Refusal(refused.code, refused.fact, refused.next_step)


def refused(error: UserError) -> Refused:
    """Return the reply for an error that the user can fix."""
    return Refused(error.code, error.what, error.next_step)
