"""Repeat a smoke check until it succeeds, its time is over, or it is cancelled."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from bot.domain.env_allowlist import inherited
from bot.domain.ports.smoke import Smoke, SmokeResult, Surroundings
from bot.domain.redaction import Redactor
from bot.domain.sanitize import inert
from bot.sandbox import Sandbox
from bot.smoke import command, http, tcp
from bot.smoke.attempt import POLL, Cancelled, CheckFailed, with_timeout

MIN_TRY = 1.0
"""Seconds that each try gets at least, so that the last one can still report what it saw."""
MAX_MESSAGE = 400
"""Characters of a message."""


class Checker:
    """Implements bot.domain.ports.smoke.Smoker. Safe to share between threads.

    environment: the bot's own environment; commands get an allowlist of it (see `inherited`). sandbox: confines them.
    """

    def __init__(self, environment: Mapping[str, str], sandbox: Sandbox) -> None:
        self._environment = inherited(environment)
        self._sandbox = sandbox

    def check(
        self,
        smoke: Smoke,
        surroundings: Surroundings,
        *,
        cancelled: Callable[[], bool] = lambda: False,
        on_try: Callable[[str], None] = lambda _line: None,
    ) -> SmokeResult:
        """See the port. A try that starts within the last second of `within` still gets a full second."""
        redact = Redactor(surroundings.hidden)
        started = time.monotonic()
        tries = 0

        def result(ok: bool, message: str) -> SmokeResult:
            return SmokeResult(smoke.name, ok, message, round(time.monotonic() - started, 1), tries)

        while True:
            tries += 1
            left = smoke.within - (time.monotonic() - started)
            timeout = min(smoke.timeout, max(left, MIN_TRY))
            try:
                ok, seen = True, self._try(smoke, surroundings, timeout, cancelled)
            except CheckFailed as error:
                ok, seen = False, str(error)
            except Cancelled:
                return result(False, "cancelled")
            message = " ".join(redact(seen).split())[:MAX_MESSAGE]
            if smoke.kind != "command":  # a command's message is already inert and has its own backticks
                message = inert(message)
            on_try(f"{smoke.name}, try {tries}: {message}")
            if ok or time.monotonic() - started + smoke.every >= smoke.within:
                return result(ok, message)
            if _wait(smoke.every, cancelled):
                return result(False, "cancelled")

    def _try(
        self, smoke: Smoke, surroundings: Surroundings, timeout: float, cancelled: Callable[[], bool]
    ) -> str:
        """Try once; return what was seen. Raises CheckFailed and Cancelled."""
        if smoke.kind == "command":
            return command.run(smoke, surroundings, self._environment, self._sandbox, timeout, cancelled)
        if smoke.kind == "http":
            return with_timeout(
                lambda: http.check(smoke, timeout), f"GET {smoke.subject}", timeout, cancelled
            )
        return with_timeout(
            lambda: tcp.check(smoke, timeout), f"no connection to {smoke.subject}", timeout, cancelled
        )


def _wait(seconds: float, cancelled: Callable[[], bool]) -> bool:
    """Sleep; return whether the wait was cancelled."""
    deadline = time.monotonic() + seconds
    while not cancelled():
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(left, POLL))
    return True
