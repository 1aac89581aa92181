"""Upkeep of a worker's own directories: worktrees that no plan needs any more, journals of runs that ended."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from bot.services.context import Context

YOUNG = 3600.0
"""Seconds during which a directory is left alone: a run may be about to name it."""


def tidy(context: Context) -> int:
    """Remove worktrees and journals that neither a fresh plan nor a run under way needs; returns how many."""
    with context.store.read() as tables:
        keep = {Path(path) for path in tables.plans.worktrees()}
        active = {run.id for run in tables.runs.active()}
    removed = 0
    for worktree in worktrees(context.data_dir / "worktrees"):
        if worktree not in keep and worktree.name not in active and _old(worktree):
            context.git.remove(worktree)
            removed += 1
    for journal in (context.data_dir / "journal").glob("*"):
        if journal.name not in active and _old(journal):
            shutil.rmtree(journal, ignore_errors=True)
    context.terraform.collect()
    return removed


def worktrees(root: Path) -> list[Path]:
    """Directories named by a run's id (20 hex digits), wherever the target's path ends."""
    return (
        [path for path in root.glob("**/*") if path.is_dir() and _is_id(path.name)] if root.is_dir() else []
    )


def _is_id(name: str) -> bool:
    return len(name) == 20 and all(letter in "0123456789abcdef" for letter in name)


def _old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > YOUNG
    except OSError:
        return False
