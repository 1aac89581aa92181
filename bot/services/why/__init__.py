"""Explain what failed: a run, an apply that was refused, or a job of GitHub Actions."""

from bot.services.why.answer import explain
from bot.services.why.record import reason_of

__all__ = ["explain", "reason_of"]
