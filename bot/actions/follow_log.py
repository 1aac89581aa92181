"""Show a run's log in the workflow's own while it grows."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bot.actions.runner import Runner
from bot.domain.ports.store import Store
from bot.domain.run import Run

EVERY = 1.0
"""Seconds between two looks."""


@contextmanager
def following(store: Store, runner: Runner, run: Run) -> Iterator[None]:
    """Print the run's lines, which are redacted, until the end of the block."""
    ended, seen = threading.Event(), 0

    def show() -> None:
        nonlocal seen
        with store.read() as tables:
            seen, lines = tables.runs.log(run.id, seen)
        for line in lines:
            runner.print(line)

    def follow() -> None:
        while not ended.wait(EVERY):
            show()

    with runner.group(f"{run.kind} {run.target}"):
        thread = threading.Thread(target=follow, name="log", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            show()
