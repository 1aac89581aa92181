"""Terraform that outlived its bot: a world may end in the middle of a plan, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from bot.terraform.process import outcome
from bot.terraform.supervisor import started_at

PATIENCE = 10.0
"""Seconds until the keepers of killed processes have written how those ended."""


def end_orphans(data: Path, grace: float = 0.0) -> None:
    """Kill what still runs under the journals of a bot's data directory; the bot itself must have ended, and what it
    told to stop gets `grace` seconds to end by itself.

    Without that its Terraform would go on for minutes, trying to reach a backend that will never be there again.
    """
    began = time.monotonic()
    while (running := _running(data)) and time.monotonic() < began + grace + PATIENCE:
        for journal in running if time.monotonic() >= began + grace else ():
            with suppress(OSError, ValueError):
                pid, start = (journal / "pid").read_text().split()[:2]
                if int(pid) > 1 and started_at(int(pid)) == start:  # 0 stands for none yet
                    os.killpg(int(pid), signal.SIGKILL)
        time.sleep(0.05)


def _running(data: Path) -> list[Path]:
    return [path.parent for path in data.glob("journal/**/pid") if outcome(path.parent)[0] == "running"]
