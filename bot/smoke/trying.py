"""One try, held to its time from outside: a name server that does not answer knows no timeout."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_LOOK = 0.1
"""Seconds between two looks at the flag that cancels."""


class NotWell(Exception):
    """A try did not go well; the text says what was seen."""


class Cancelled(Exception):
    """Nobody wants the answer any more."""


def in_time(ask: Callable[[], str], what: str, timeout: float, cancelled: Callable[[], bool]) -> str:
    """What `ask` returns. Raises NotWell where it does, or where it takes longer than `timeout` seconds (the message begins with
    `what`); Cancelled.

    It runs in a thread of its own, which is left to its end where it takes too long.
    """
    ended = threading.Event()
    answers: list[str] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            answers.append(ask())
        except Exception as error:
            errors.append(error)
        ended.set()

    threading.Thread(target=run, name="smoke", daemon=True).start()
    until = time.monotonic() + timeout
    while not ended.wait(max(0.0, min(_LOOK, until - time.monotonic()))):
        if cancelled():
            raise Cancelled
        if time.monotonic() >= until:
            raise NotWell(f"{what}: no answer within {timeout:.3g} s")
    if errors:
        error = errors[0]
        raise error if isinstance(error, NotWell) else NotWell(f"{what}: {type(error).__name__}: {error}")
    return answers[0]
