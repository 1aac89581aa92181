"""Where the files of a run are, below the data directory, and how those are read that hostile code could write."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bot.domain.run import Run
from bot.filesystem import remove_tree
from bot.services.context import Context


def worktree_of(context: Context, run: Run) -> Path:
    """A plan's own directory: its path is part of the plan."""
    return context.data_dir / "worktrees" / run.target.path / run.id


def journal_of(context: Context, run: Run) -> Path:
    """Where the supervisor of this run's Terraform writes how it ended."""
    return context.data_dir / "journal" / run.id


def smoke_directory_of(context: Context, run: Run) -> Path:
    """Where the smoke commands of an apply run, with their files."""
    return context.data_dir / "smoke" / run.id


@contextmanager
def plan_file_of(context: Context, run: Run) -> Iterator[Path]:
    """Yield the path of the run's plan file, in a directory of its own that is removed at the end.

    It contains secrets in clear text, and the database keeps it encrypted. It is not in the worktree, which providers may
    write to at any time: what was shown must be what is kept and applied.
    """
    directory = context.data_dir / "plans" / run.id
    remove_tree(directory)
    directory.mkdir(parents=True, mode=0o700)
    try:
        yield directory / "plan.tfplan"
    finally:
        with suppress(OSError):
            remove_tree(directory)


def read_untrusted(top: Path, path: Path, limit: int) -> bytes | None:
    """Return the content of a file below `top` that sandboxed code could write.

    None if it is missing (`top` may be, too), larger than `limit` bytes, or reached through a link, which could lead to any
    file of the bot's.
    """
    try:
        directory = os.open(top, os.O_PATH | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        *parents, name = path.relative_to(top).parts
        for parent in parents:
            inner = os.open(parent, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
            os.close(directory)
            directory = inner
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe would wait for its writer
        with os.fdopen(os.open(name, flags, dir_fd=directory), "rb") as file:
            data = file.read(limit + 1)
    except OSError:
        return None
    finally:
        os.close(directory)
    return data if len(data) <= limit else None
