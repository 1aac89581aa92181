"""git: a bare mirror per repository, worktrees for plans, and the clone that a person works in."""

from bot.git.local_mirrors import LocalMirrors
from bot.git.mirrors import Mirrors
from bot.git.working_copy import DefaultBranch, WorkingCopy, find_working_copy

__all__ = ["DefaultBranch", "LocalMirrors", "Mirrors", "WorkingCopy", "find_working_copy"]
