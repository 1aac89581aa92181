"""An environment's smoke checks, made of the policy's entries and a target's outputs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from bot.domain.outputs import Outputs, Unfilled, fill, url_of
from bot.domain.policy import Environment
from bot.domain.ports.smoke import Smoke, SmokeResult
from bot.domain.target import Target

LONGEST = 60
"""Characters of a name."""


def smokes(
    environment: Environment, target: Target, pull: int, outputs: Outputs
) -> list[Smoke | SmokeResult]:
    """The checks in the policy's order, each under a name of its own; one that cannot be tried, since an output is
    missing or its command cannot be read, is its own failure already."""
    url = url_of(environment.url, target, pull, outputs)
    made: list[Smoke | SmokeResult] = []
    for name, entry in zip(names(environment), environment.smoke, strict=True):
        try:
            made.append(_smoke(name, entry, lambda text: fill(text, target, pull, outputs, url)))
        except Unfilled as error:
            made.append(SmokeResult(name, False, str(error), 0.0, 0))
    return made


def names(environment: Environment) -> list[str]:
    """What people call the checks: their `name`, else what the check looks at. None is there twice."""
    found: list[str] = []
    for entry in environment.smoke:
        name = plain = (str(entry.get("name") or "") or _named(entry))[:LONGEST]
        number = 2
        while name in found:
            name, number = f"{plain} ({number})", number + 1
        found.append(name)
    return found


def _named(entry: Mapping[str, Any]) -> str:
    if "http" in entry:
        path = re.sub(r"^\w+://", "", entry["http"]).partition("?")[0].partition("/")[2]
        return path.rstrip("/").rpartition("/")[2] or "http"
    return str(entry["tcp"]) if "tcp" in entry else _told(entry["command"])


def _smoke(name: str, entry: Mapping[str, Any], filled: Callable[[str], str]) -> Smoke:
    """Raises Unfilled."""
    more = {key: entry[key].total_seconds() for key in ("within", "every", "timeout") if key in entry}
    if "command" in entry:
        words = tuple(filled(word) for word in _words(entry["command"]))
        return Smoke(name, "command", _told(entry["command"]), words, **more)
    if "tcp" in entry:
        return Smoke(name, "tcp", filled(entry["tcp"]), **more)
    status = entry.get("status", 200)
    statuses = status if isinstance(status, tuple) else (status,)
    return Smoke(name, "http", filled(entry["http"]), (), statuses, entry.get("contains", ""), **more)


def _words(command: str | tuple[str, ...]) -> tuple[str, ...]:
    """A text is split as a shell would, before outputs are filled in: a blank in one makes no second word."""
    if not isinstance(command, str):
        return command
    try:
        return tuple(shlex.split(command))
    except ValueError as error:
        raise Unfilled(f"the command cannot be read: {str(error).lower()}") from None


def _told(command: str | tuple[str, ...]) -> str:
    return command if isinstance(command, str) else shlex.join(command)
