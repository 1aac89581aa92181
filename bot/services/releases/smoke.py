"""Build an environment's smoke checks, and its commands for sleep, from the policy and a target's outputs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

from bot.domain.policy import Environment, SmokeCheck
from bot.domain.ports.smoke import Smoke, SmokeResult
from bot.domain.states import Outputs, Unfilled, fill_outputs, url_of
from bot.domain.target import Target

LONGEST = 60
"""Characters of a name."""


def smoke_checks(
    environment: Environment, target: Target, pull: int, outputs: Outputs
) -> list[Smoke | SmokeResult]:
    """Return the checks in the policy's order, each with a unique name. One that cannot run, since an output is missing or
    its command cannot be parsed, is returned as a failed result."""
    url = url_of(environment.url, target, pull, outputs)
    made: list[Smoke | SmokeResult] = []
    for name, entry in zip(smoke_names(environment), environment.smoke, strict=True):
        try:
            made.append(_smoke(name, entry, lambda text: fill_outputs(text, target, pull, outputs, url)))
        except Unfilled as error:
            made.append(SmokeResult(name, False, str(error), 0.0, 0))
    return made


def sleep_command(name: str, environment: Environment, target: Target, pull: int, outputs: Outputs) -> Smoke:
    """Return the environment's command for `name`, "sleep" or "wake", which is tried once. Raises Unfilled if an output is
    missing."""
    sleep, limit = environment.sleep, environment.timeout.total_seconds()
    command = sleep.wake_command if name == "wake" else sleep.command
    url = url_of(environment.url, target, pull, outputs)
    words = tuple(fill_outputs(word, target, pull, outputs, url) for word in _words(command))
    return Smoke(name, "command", _told(command), words, within=limit, every=limit, timeout=limit)


def smoke_names(environment: Environment) -> list[str]:
    """Return unique display names: the check's `name`, else what it checks."""
    found: list[str] = []
    for entry in environment.smoke:
        name = plain = (entry.name or _named(entry))[:LONGEST]
        number = 2
        while name in found:
            name, number = f"{plain} ({number})", number + 1
        found.append(name)
    return found


def _named(entry: SmokeCheck) -> str:
    if entry.kind == "http":
        path = re.sub(r"^\w+://", "", entry.http).partition("?")[0].partition("/")[2]
        return path.rstrip("/").rpartition("/")[2] or "http"
    return entry.tcp or _told(entry.command)


def _smoke(name: str, entry: SmokeCheck, filled: Callable[[str], str]) -> Smoke:
    """Raises Unfilled."""
    subject = _told(entry.command) if entry.command else filled(entry.http or entry.tcp)
    return Smoke(
        name,
        entry.kind,
        subject,
        tuple(filled(word) for word in _words(entry.command)),
        entry.statuses,
        entry.contains,
        within=entry.within.total_seconds(),
        every=entry.every.total_seconds(),
        timeout=entry.timeout.total_seconds(),
    )


def _words(command: str | tuple[str, ...]) -> tuple[str, ...]:
    """Split a command like a shell, before outputs are filled in: a space in an output adds no argument."""
    if not isinstance(command, str):
        return command
    try:
        return tuple(shlex.split(command))
    except ValueError as error:
        raise Unfilled(f"the command cannot be parsed: {str(error).lower()}") from None


def _told(command: str | tuple[str, ...]) -> str:
    return command if isinstance(command, str) else shlex.join(command)
