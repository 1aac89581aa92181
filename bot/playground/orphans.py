"""Terraform processes that outlive the bot, because a world may stop in the middle of a plan."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from bot.terraform.process.status import outcome
from bot.terraform.process.supervisor import started_at

PATIENCE = 10.0
"""Seconds that supervisors of killed processes get to record how those ended."""


def end_orphans(data: Path, grace: float = 0.0) -> None:
    """Kill the Terraform processes that the journals of a bot's data directory list as running.

    The bot must have ended. Processes that it asked to stop get `grace` seconds to exit by themselves. Without this,
    Terraform would retry for minutes to reach a state backend that is gone.
    """
    began = time.monotonic()
    while (running := _running(data)) and time.monotonic() < began + grace + PATIENCE:
        for journal in running if time.monotonic() >= began + grace else ():
            with suppress(OSError, ValueError):
                pid, start = (journal / "pid").read_text().split()[:2]
                if int(pid) > 1 and started_at(int(pid)) == start:  # 0 if it has not started yet
                    os.killpg(int(pid), signal.SIGKILL)
        time.sleep(0.05)


def _running(data: Path) -> list[Path]:
    return [path.parent for path in data.glob("journal/**/pid") if outcome(path.parent)[0] == "running"]
