"""Delete what a worker left: worktrees that no plan needs, journals and plan files of finished runs, tokens after a crash."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import structlog

from bot.filesystem import remove_tree
from bot.services.context import Context
from bot.services.identity import remove_tokens
from bot.services.plans import OURS

log = structlog.get_logger()

YOUNG = 3600.0
"""Seconds for which a new directory is kept: its run may not be recorded yet."""
YOUNG_TOKEN = 60.0
"""Seconds for which tokens are kept for the same reason."""


def tidy_worktrees(context: Context) -> int:
    """Delete worktrees, journals and plan files that neither a fresh plan nor an active run needs, and the tokens of runs
    that ended in a crash. Returns the number of worktrees.

    What cannot be deleted is logged and left to the next call: one directory must not keep all others.
    """
    with context.store.read() as tables:
        keep = {Path(path) for path in tables.plans.worktrees()}
        running = tables.runs.active()
    active = {run.id for run in running}
    in_use = active | {run.plan_id for run in running}  # applies and destroys run in a plan's worktree
    removed = 0
    for worktree in worktrees(context.data_dir / "worktrees"):
        if worktree.name not in in_use:
            remove_tokens(worktree / OURS, older=YOUNG_TOKEN)
        if worktree not in keep and worktree.name not in in_use and _old(worktree):
            removed += _delete(worktree, context.git.remove)
    for kind in ("journal", "plans", "smoke"):
        for directory in (context.data_dir / kind).glob("*"):
            if directory.name not in active and _old(directory):
                _delete(directory, remove_tree)
    context.terraform.collect()
    return removed


def worktrees(root: Path) -> list[Path]:
    """Return the directories named by a run id (20 hex digits) where runs have theirs: below a target with or without an
    instance. What is in them is not looked at, since anybody may have made it."""
    return [
        path
        for levels in ("*/*/*/*", "*/*/*/*/*")
        for path in root.glob(levels)
        if _is_id(path.name) and path.is_dir()
    ]


def _delete(path: Path, remove: Callable[[Path], None]) -> bool:
    try:
        remove(path)
    except Exception as error:
        log.warning("a directory could not be deleted", path=str(path), error=str(error)[:300])
        return False
    return True


def _is_id(name: str) -> bool:
    return len(name) == 20 and all(digit in "0123456789abcdef" for digit in name)


def _old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > YOUNG
    except OSError:
        return False
