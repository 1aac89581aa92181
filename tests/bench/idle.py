"""An idle `towpath up`: memory and processor."""

from __future__ import annotations

import os
import time
from pathlib import Path

from bot.playground.world import World, until
from tests.bench.report import Figure

WATCHED = 30.0


def run(directory: Path, database: str, url: str, engine: str) -> list[Figure]:
    """After one plan, so that all parts have been used once."""
    with World(directory / "world", database_url=url) as world:
        number = world.propose("bigger-web")
        until(lambda: "`/apply staging`" in world.status(number), what="a plan")
        time.sleep(5)
        before = spent(world.bot.pid)
        time.sleep(WATCHED)
        share = (spent(world.bot.pid) - before) / WATCHED * 100
        status = Path(f"/proc/{world.bot.pid}/status").read_text()
        megabytes = (
            next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024
        )
    return [
        Figure("idle, memory", database, megabytes, 250, "MB"),
        Figure("idle, processor", database, share, 5, "%", "of one core"),
    ]


def spent(pid: int, *, children: bool = True) -> float:
    """Processor seconds of a process, with those of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11 : 15 if children else 13])) / os.sysconf("SC_CLK_TCK")
