"""Processes of ours and of Terraform: what others may read of them, and how one ended."""

from __future__ import annotations

import contextlib
import ctypes
import os
from pathlib import Path
from typing import Literal

from bot.terraform.supervisor import started_at

_PR_SET_DUMPABLE = 4
"""linux/prctl.h."""


def undumpable() -> bool:
    """Close `/proc/<this process>/environ` and memory to other processes of the same user; call it at start.

    Without it a plan reads the bot's secrets by `file("/proc/<pid>/environ")`. Not against root. Returns whether it
    took effect (Linux alone has it).
    """
    with contextlib.suppress(OSError, AttributeError):
        return bool(ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
    return False


def outcome(journal: Path) -> tuple[Literal["running", "ended", "lost"], int | None]:
    """What became of the process whose supervisor wrote into `journal`.

    `ended` with its exit code (minus the signal that killed it), `running` while it or its supervisor lives, `lost`
    where it is gone without a word, or never began.
    """
    for _look in range(2):  # it may end between the two files
        code = _exit(journal)
        if code is not None:
            return "ended", code
        if _alive(journal):
            return "running", None
    return "lost", None


def _exit(journal: Path) -> int | None:
    try:
        return int((journal / "exit").read_text())
    except (OSError, ValueError):
        return None


def _alive(journal: Path) -> bool:
    try:
        fields = (journal / "pid").read_text().split()
    except OSError:
        return False
    return any(_same(int(pid), start) for pid, start in zip(fields[::2], fields[1::2], strict=True))


def _same(pid: int, start: str) -> bool:
    if start != "-":
        return started_at(pid) == start
    if not pid:
        return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
