"""git: a bare mirror a repository, a worktree a plan."""

from bot.git.mirrors import Mirrors

__all__ = ["Mirrors"]
