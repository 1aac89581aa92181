"""What the sandbox costs each call of Terraform's: the same program, with and without it, in turn."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

from bot.domain.ports.terraform import Control
from bot.sandbox import Access, Sandbox, open_sandbox
from bot.terraform.process.call import Call, CallKind
from tests.bench.report import Figure

ROUNDS = 100


def run(directory: Path, database: str, url: str, engine: str) -> list[Figure]:
    """`/bin/true`, since Terraform's own time would hide the difference."""
    if database != "sqlite":
        return []
    directory.mkdir(parents=True)
    sandboxes = {"off": Sandbox(), "on": open_sandbox("landlock", os.environ, also=Access(), hidden=[])}
    times: dict[str, list[float]] = {name: [] for name in sandboxes}
    for _ in range(ROUNDS):
        for name, sandbox in sandboxes.items():
            command = sandbox.confine(["/bin/true"], sandbox.base.with_writable(directory), directory)
            call = Call(
                CallKind(name), command, directory, {}, Control(directory / "journal"), lambda _data: None
            )
            begun = time.perf_counter()
            assert call.run().code == 0
            times[name].append((time.perf_counter() - begun) * 1000)
    middle = {name: statistics.median(found) for name, found in times.items()}
    detail = f"{middle['on']:.2f} ms a call, {middle['off']:.2f} ms without"
    return [Figure("sandbox, each call", database, middle["on"] - middle["off"], 10, "ms", detail)]
