"""Smoke checks as the services see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol


@dataclass(frozen=True)
class Smoke:
    """One check, its placeholders filled in.

    subject: the address (http), `host:port` (tcp), or the command as people know it. words: the command's, run without
    a shell. statuses, contains: what an http answer must be and have. within: seconds it has to come up; every: between
    two tries; timeout: of one try.
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
    """How it ended. message: what was seen at last, for people, already redacted. seconds: how long it took in all."""

    name: str
    ok: bool
    message: str
    seconds: float
    tries: int = 1


@dataclass(frozen=True)
class Surroundings:
    """What a command may know: variables of its environment alone, and files written for it (name → content), each
    named by a variable (`kubeconfig` → KUBECONFIG), in `directory`, which is removed afterwards."""

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
        """Try until it is well or its time is over. on_try: told of each try in a line. Never raises for what the
        other side does."""
        ...
