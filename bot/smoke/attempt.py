"""Run one try of a check in a thread, with a timeout enforced from outside: a DNS lookup has no timeout of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

POLL = 0.1
"""Seconds between two checks of the cancel flag."""


class CheckFailed(Exception):
    """A try failed; the text says what was seen."""


class Cancelled(Exception):
    """The check was cancelled."""


def with_timeout(
    attempt: Callable[[], str], label: str, timeout: float, cancelled: Callable[[], bool]
) -> str:
    """Return what `attempt` returns.

    label: what the message of a failure starts with. timeout: in seconds; after it the thread is left running. Raises
    CheckFailed if `attempt` raises or takes too long, and Cancelled.
    """
    done = threading.Event()
    results: list[str] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            results.append(attempt())
        except Exception as error:
            errors.append(error)
        done.set()

    threading.Thread(target=run, name="smoke", daemon=True).start()
    deadline = time.monotonic() + timeout
    while not done.wait(max(0.0, min(POLL, deadline - time.monotonic()))):
        if cancelled():
            raise Cancelled
        if time.monotonic() >= deadline:
            raise CheckFailed(f"{label}: no answer within {timeout:.3g} s")
    if errors:
        error = errors[0]
        raise (
            error
            if isinstance(error, CheckFailed)
            else CheckFailed(f"{label}: {type(error).__name__}: {error}")
        )
    return results[0]
