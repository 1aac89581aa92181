"""The secrets command: the operator's own program that prints an environment's secrets, so that any vault works."""

from __future__ import annotations

import re
import shlex
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from cachetools import TTLCache

from bot.domain.identity import PHASES
from bot.domain.ports.secrets import SecretsScope, SecretsUnavailable
from bot.secrets.output import NotUnderstood, parse_output
from bot.secrets.process import CommandFailed, run_command

SETTING = "TOWPATH_SECRETS_COMMAND"
PHASE = "{phase}"
FAILED = 2.0
"""Seconds for which a failure counts: runs that begin together do not wait for one time limit after the other."""
MOST = 1024
"""Outputs that are kept."""
_FILLED = re.compile(r"[A-Za-z0-9._/-]*")

Words = tuple[str, ...]


class SecretsCommand:
    """Runs the command, and keeps what it prints in memory for a while. Safe to share between threads.

    words: with `{env}`, `{phase}` and `{repository}` in any of them. environment: all that the command gets. timeout, keep:
    seconds. timer: monotonic seconds.
    """

    def __init__(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        *,
        timeout: float,
        keep: float,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._words = tuple(words)
        self._environment = dict(environment)
        self._timeout = timeout
        self._locks: defaultdict[Words, threading.Lock] = defaultdict(threading.Lock)
        self._lock = threading.Lock()
        self._kept: TTLCache[Words, dict[str, str]] = TTLCache(MOST, keep, timer)
        self._failed: TTLCache[Words, SecretsUnavailable] = TTLCache(MOST, FAILED, timer)

    def by_phase(self, scope: SecretsScope) -> dict[str, dict[str, str]]:
        """Return what the command prints, by what belongs before each name: "", or `PLAN_` and `APPLY_` if it is asked for
        each phase. Raises SecretsUnavailable."""
        if not any(PHASE in word for word in self._words):
            return {"": self._printed(self._filled(scope, ""), scope)}
        return {
            prefix: self._printed(self._filled(scope, access), scope) for access, prefix in PHASES.items()
        }

    def _filled(self, scope: SecretsScope, access: str) -> Words:
        values = {"{env}": scope.environment, "{repository}": scope.repository, PHASE: access}
        words = list(self._words)
        for placeholder, value in values.items():
            if not _FILLED.fullmatch(value):
                raise SecretsUnavailable(f"`{value[:40]}` cannot be an argument of {SETTING}.")
            words = [word.replace(placeholder, value) for word in words]
        return tuple(words)

    def _printed(self, words: Words, scope: SecretsScope) -> dict[str, str]:
        """Run it, or return what it printed lately. Two threads that ask for the same run it once."""
        with self._lock:
            mine = self._locks[words]
        with mine:
            with self._lock:
                kept, failed = self._kept.get(words), self._failed.get(words)
            if kept is not None:
                return kept
            if failed is not None:
                raise failed
            try:
                found = self._run(words, scope)
            except SecretsUnavailable as error:
                with self._lock:
                    self._failed[words] = error
                raise
            with self._lock:
                self._kept[words] = found
            return found

    def _run(self, words: Words, scope: SecretsScope) -> dict[str, str]:
        try:
            return parse_output(run_command(words, self._environment, self._timeout))
        except (CommandFailed, NotUnderstood) as error:
            why = str(error)
        # raised here, so that no traceback leads to what was printed
        raise SecretsUnavailable(
            f"The secrets of `{scope.environment}` could not be read: {SETTING} {why}.",
            next_step="Ask whoever operates the bot to run `towpath doctor`, then try again.",
            by_hand=_by_hand(words, self._environment),
        )


def _by_hand(words: Words, environment: Mapping[str, str]) -> str:
    """Return a line for a shell that runs the command as the bot does, and shows its errors but no secret."""
    variables = " ".join(f'{name}="${name}"' for name in environment)
    return f"env -i {variables} {shlex.join(words)} >/dev/null"
