"""Stop what a job runs when GitHub cancels it: Terraform is interrupted once, and its result is still handed back."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bot.domain.ports.store import Store

EVERY = 0.2
"""Seconds between two looks: GitHub sends SIGINT, SIGTERM after 7.5 seconds, and kills after another 2.5."""


@contextmanager
def stopped_by_signals(store: Store, actor: str) -> Iterator[None]:
    """Have the active runs cancelled by `actor` once this process gets SIGINT or SIGTERM, those that begin later too.

    A signal's handler must not touch the database, since the thread that it interrupts may be in a transaction.
    """
    signals: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(EVERY):
            if signals:
                _cancel(store, actor)

    watcher = threading.Thread(target=watch, name="ci-stop", daemon=True)
    before = {
        number: signal.signal(number, lambda received, _frame: signals.append(received))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        for number, handler in before.items():
            signal.signal(number, handler)


def _cancel(store: Store, actor: str) -> None:
    with store.begin() as tables:
        for run in tables.runs.active():
            if not run.cancel_by:
                tables.runs.update(run.id, cancel_by=actor)
