"""git: a bare mirror per repository, and worktrees for plans."""

from bot.git.mirrors import Mirrors

__all__ = ["Mirrors"]
