"""Scheduled maintenance: delete expired records and unused worktrees."""

from bot.services.maintenance.retention import delete_expired
from bot.services.maintenance.worktrees import tidy_worktrees

__all__ = [
    "delete_expired",
    "tidy_worktrees",
]
