"""Reverts: what each action costs (changed in place, replaced, destroyed, recreated empty), and whether the release was
restored."""

from bot.domain.reverts.classification import Kind, classify
from bot.domain.reverts.comparison import Difference, compare_with_release
from bot.domain.reverts.history import undo_history

__all__ = [
    "Difference",
    "Kind",
    "classify",
    "compare_with_release",
    "undo_history",
]
