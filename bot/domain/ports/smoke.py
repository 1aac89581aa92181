"""Port for smoke checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol


@dataclass(frozen=True)
class Smoke:
    """One check, with its placeholders filled in.

    subject: the URL (http), `host:port` (tcp), or the command as written in the policy. words: the command's argv, run
    without a shell. statuses, contains: the expected status and text of an http response. within: seconds until it
    must succeed. every: seconds between two tries. timeout: seconds of one try.
    """

    name: str
    kind: Literal["http", "tcp", "command"]
    subject: str
    words: tuple[str, ...] = ()
    statuses: tuple[int, ...] = (200,)
    contains: str = ""
    within: float = 60.0
    every: float = 2.0
    timeout: float = 10.0


@dataclass(frozen=True)
class SmokeResult:
    """The result of a check. message: what the last try saw, redacted. seconds: how long all tries took."""

    name: str
    ok: bool
    message: str
    seconds: float
    tries: int = 1


@dataclass(frozen=True)
class Surroundings:
    """What a command gets.

    directory: its working directory, removed by the caller afterwards. env: variables. files: name → content, written
    to `directory` while it runs; a variable has the path of each (`kubeconfig` → KUBECONFIG). hidden: values to redact
    in what is shown of any check.
    """

    directory: Path
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()


class Smoker(Protocol):
    def check(
        self,
        smoke: Smoke,
        surroundings: Surroundings,
        *,
        cancelled: Callable[[], bool] = lambda: False,
        on_try: Callable[[str], None] = lambda _line: None,
    ) -> SmokeResult:
        """Repeat a check until it succeeds or its time is over. Never raises for what the checked service does.

        cancelled: polled a few times a second. on_try: called with one line per try.
        """
        ...
