"""How a run ends."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.domain.run import Outcome
from bot.domain.why import Reason


@dataclass(frozen=True)
class RunEnd:
    """How a run ends. message, next_step: shown to people. reference: of an internal error. plan_id: of the plan it made.
    reason: what `/why` explains, if it did not succeed."""

    outcome: Outcome
    message: str = ""
    next_step: str = ""
    reference: str = ""
    plan_id: str = ""
    reason: Reason = field(default_factory=Reason)
