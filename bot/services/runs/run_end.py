"""How a run ends."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.run import Outcome


@dataclass(frozen=True)
class RunEnd:
    """How a run ends. message, next_step: shown to people. reference: of an internal error. plan_id: of the plan it made."""

    outcome: Outcome
    message: str = ""
    next_step: str = ""
    reference: str = ""
    plan_id: str = ""
