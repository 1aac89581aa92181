"""Show what a run does while it is carried out, and stop it when Ctrl-C is pressed."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from bot.cli.output import console
from bot.services.context import Context

LOOK = 0.3
"""Seconds between two looks at what runs."""
_PHASES = {
    "queued": "preparing",
    "initialising": "terraform init",
    "planning": "terraform plan",
    "applying": "terraform apply",
    "verifying": "smoke checks",
}
STOP = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def watched(context: Context, *, shown: bool) -> Iterator[None]:
    """Show phase and last line of the active run as a moving line in a terminal. The first Ctrl-C asks Terraform to finish
    what is in progress and to save the state; more of them have no effect."""
    done = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        # in a thread of its own: this one may be in a transaction
        threading.Thread(target=_cancel, args=(context,), daemon=True).start()

    before = {number: signal.signal(number, stop) for number in STOP}
    watcher = threading.Thread(target=_watch, args=(context, done), daemon=True)
    if shown and sys.stderr.isatty():
        watcher.start()
    try:
        yield
    finally:
        done.set()
        if watcher.is_alive():
            watcher.join()
        for number, handler in before.items():
            signal.signal(number, handler)


def _cancel(context: Context) -> None:
    with context.store.begin() as tables:
        for run in tables.runs.active():
            tables.runs.update(run.id, cancel_by="you")


def _watch(context: Context, done: threading.Event) -> None:
    began = time.monotonic()
    with console(sys.stderr).status("preparing …") as status:
        while not done.wait(LOOK):
            with context.store.read() as tables:
                run = next(iter(tables.runs.active()), None)
                lines = tables.runs.log(run.id)[1] if run else []
            if run is not None:
                phase = "stopping" if run.cancel_by else _PHASES.get(run.phase, run.phase)
                last = lines[-1].strip()[:100] if lines else ""
                text = f"{run.target}: {phase}, {time.monotonic() - began:.0f} s  {last}"
                status.update(text.replace("[", "\\["))
