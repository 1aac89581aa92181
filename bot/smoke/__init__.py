"""Smoke checks: a URL that answers, a port that accepts connections, a command that succeeds."""

from bot.smoke.checker import Checker

__all__ = ["Checker"]
