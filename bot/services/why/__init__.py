"""Explain what failed: record it when a run ends."""

from bot.services.why.record import reason_of

__all__ = ["reason_of"]
