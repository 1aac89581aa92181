"""What a gate answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Allowed:
    """A gate's yes, with the ground it was given on (for the record)."""

    ground: str = ""


@dataclass(frozen=True)
class Refused:
    """A gate's no: a stable code, the fact, and the exact next command or action. until: when time lifts it (UTC), where
    it does."""

    code: str
    fact: str
    next_step: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class Answer:
    """One gate's answer, for the record and for those who want to see all of them: whether it let pass, and why."""

    gate: str
    passed: bool
    ground: str
