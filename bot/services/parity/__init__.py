"""Parity: compare environments that should be alike, on request and for what a pull request changes."""

from bot.services.parity.compare import Filter, compare_environments, pull_parity
from bot.services.parity.notes import parity_notes

__all__ = ["Filter", "compare_environments", "parity_notes", "pull_parity"]
