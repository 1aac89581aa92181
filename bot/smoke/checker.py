"""Tries a smoke check until it is well, its time is over, or somebody wants it no more."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from bot.domain.inherited import inherited
from bot.domain.ports.smoke import Smoke, SmokeResult, Surroundings
from bot.domain.redaction import Redactor
from bot.domain.words import inert
from bot.smoke import command, http, tcp
from bot.smoke.trying import Cancelled, NotWell, in_time

LAST = 1.0
"""Seconds that a try has at least: the last one must be able to say what it saw."""
LONGEST = 400
"""Characters of a message."""
_LOOK = 0.1
"""Seconds between two looks at the flag that cancels."""


class Checker:
    """Fulfils bot.domain.ports.smoke.Smoker. Safe to share between threads.

    environment: the bot's own variables, of which a command gets what any program of ours does (see inherited).
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = inherited(environment)

    def check(
        self,
        smoke: Smoke,
        surroundings: Surroundings,
        *,
        cancelled: Callable[[], bool] = lambda: False,
        on_try: Callable[[str], None] = lambda _line: None,
    ) -> SmokeResult:
        """As in the port. A try that begins in the last second of `within` has that second to itself."""
        redact = Redactor(surroundings.hidden)
        begun = time.monotonic()
        tries = 0

        def result(ok: bool, message: str) -> SmokeResult:
            return SmokeResult(smoke.name, ok, message, round(time.monotonic() - begun, 1), tries)

        while True:
            tries += 1
            left = smoke.within - (time.monotonic() - begun)
            try:
                ok, seen = (
                    True,
                    self._once(smoke, surroundings, min(smoke.timeout, max(left, LAST)), cancelled),
                )
            except NotWell as error:
                ok, seen = False, str(error)
            except Cancelled:
                return result(False, "cancelled")
            message = " ".join(redact(seen).split())[:LONGEST]
            if smoke.kind != "command":  # that one's own words are in backticks
                message = inert(message)
            on_try(f"{smoke.name}, try {tries}: {message}")
            if ok or time.monotonic() - begun + smoke.every >= smoke.within:
                return result(ok, message)
            if _waited(smoke.every, cancelled):
                return result(False, "cancelled")

    def _once(
        self, smoke: Smoke, surroundings: Surroundings, timeout: float, cancelled: Callable[[], bool]
    ) -> str:
        """One try: what was seen. Raises NotWell, Cancelled."""
        if smoke.kind == "command":
            return command.run(smoke, surroundings, self._environment, timeout, cancelled)
        if smoke.kind == "http":
            return in_time(lambda: http.ask(smoke, timeout), f"GET {smoke.subject}", timeout, cancelled)
        told = f"no connection to {smoke.subject}"
        return in_time(lambda: tcp.ask(smoke, timeout), told, timeout, cancelled)


def _waited(seconds: float, cancelled: Callable[[], bool]) -> bool:
    """Whether the wait was cut short."""
    until = time.monotonic() + seconds
    while not cancelled():
        left = until - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(left, _LOOK))
    return True
