"""Syncs: what the default branch would change in an environment after a merge, and whether people reviewed that."""

from bot.domain.sync.model import CONCLUDED, FAILED, UNSETTLED, Sync, SyncStatus, is_news, status_after
from bot.domain.sync.reviewed import Change, changes_digest, changes_of, unreviewed_changes

__all__ = [
    "CONCLUDED",
    "FAILED",
    "UNSETTLED",
    "Change",
    "Sync",
    "SyncStatus",
    "changes_digest",
    "changes_of",
    "is_news",
    "status_after",
    "unreviewed_changes",
]
