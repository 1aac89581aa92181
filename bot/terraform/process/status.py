"""How a process ended, as its journal tells; and protection of the bot's own process from reading."""

from __future__ import annotations

import contextlib
import ctypes
import os
from pathlib import Path
from typing import Literal

from bot.terraform.process.supervisor import started_at

_PR_SET_DUMPABLE = 4
"""From linux/prctl.h."""


def make_undumpable() -> bool:
    """Close `/proc/<this process>/environ` and memory to other processes of the same user; call it at start.

    Without it a plan reads the bot's secrets by `file("/proc/<pid>/environ")`. It does not protect against root.
    Returns whether it took effect; only Linux has it.
    """
    with contextlib.suppress(OSError, AttributeError):
        return bool(ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
    return False


def outcome(journal: Path) -> tuple[Literal["running", "ended", "lost"], int | None]:
    """Return the state and exit code of the process whose supervisor wrote `journal`.

    `ended`: with its exit code, negative for a signal. `running`: it or its supervisor lives. `lost`: it never
    started, or is gone and left no exit code.
    """
    for _attempt in range(2):  # it may end between reading the two files
        code = _exit_code(journal)
        if code is not None:
            return "ended", code
        if _is_alive(journal):
            return "running", None
    return "lost", None


def _exit_code(journal: Path) -> int | None:
    try:
        return int((journal / "exit").read_text())
    except (OSError, ValueError):
        return None


def _is_alive(journal: Path) -> bool:
    try:
        fields = (journal / "pid").read_text().split()
    except OSError:
        return False
    return any(_runs(int(pid), start) for pid, start in zip(fields[::2], fields[1::2], strict=True))


def _runs(pid: int, start: str) -> bool:
    """Whether the process that had this id and start time still runs; `-` stands for an unknown start time."""
    if start != "-":
        return started_at(pid) == start
    if not pid:
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
