"""After a merge: plan the default branch in the environments with `on_merge`, and report or apply what differs.

Start at `merged` (a pull request was merged), `execute` (a worker makes the plan), `conclude` (what to do with it) and
`sweep` (what was missed)."""

from bot.services.sync.branch import branch_context
from bot.services.sync.by_command import main_commit, plan_main, refuse_unread_main
from bot.services.sync.execute import execute_sync
from bot.services.sync.failure import Failure, open_failure
from bot.services.sync.merged import sync_merged
from bot.services.sync.sweep import sweep_syncs

__all__ = [
    "Failure",
    "branch_context",
    "execute_sync",
    "main_commit",
    "open_failure",
    "plan_main",
    "refuse_unread_main",
    "sweep_syncs",
    "sync_merged",
]
