"""Terraform's own machine-readable lines (`-json`, "machine-readable UI" 1.x) as progress and as text for people.

What a provisioner starts may write there as well, so nothing is taken for granted. In no text that comes out of here is
anything that a database or an encoder refuses (NUL, half a surrogate pair).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Literal

from bot.domain.ports.terraform import Progress

State = Literal["", "planned", "started", "progress", "done", "failed"]

_STATES: dict[str, State] = {
    "planned_change": "planned",
    "apply_start": "started",
    "apply_progress": "progress",
    "apply_complete": "done",
    "apply_errored": "failed",
}
_SILENT = frozenset({"version", "outputs"})
"""Nothing for people: the version is known, and outputs' values are read by `output -json`."""

CHATTER = b'"type":"provision_progress"'
"""In lines that a provisioner may write without end."""


_BEGINNING = re.compile(
    r'\{"@level":"([a-z]{1,9})","@message":("(?:[^"\\]|\\.){0,2000}+"),"@module":"terraform\.ui",'
)
"""Of a line of Terraform's, whose keys are in alphabetical order."""


def read(line: str) -> tuple[Progress, ...]:
    """What a line says; one Progress a line of text. A line that is no JSON is text itself; silence is empty."""
    event = _event(line)
    if event is None:
        return (Progress(_sound(line)),) if line.strip() else ()
    kind = str(event.get("type", ""))
    if kind in _SILENT:
        return ()
    if kind == "diagnostic":
        return tuple(Progress(text) for text in diagnostic(_part(event, "diagnostic")).splitlines())
    message = _sound(event.get("@message", ""))
    hook = _part(event, "hook") or _part(event, "change")
    address = _sound(_part(hook, "resource").get("addr", ""))
    if kind in _STATES and address:
        elapsed = hook.get("elapsed_seconds")
        seconds = float(elapsed) if isinstance(elapsed, int | float) and 0 <= elapsed < 1e9 else 0.0
        return (Progress(message, address, _STATES[kind], _sound(hook.get("action", "")), seconds),)
    return tuple(Progress(text) for text in message.splitlines() if text.strip())


def errors(line: str) -> Iterator[str]:
    """The error in a line, as text; warnings are none."""
    event = _event(line)
    if event and event.get("type") == "diagnostic":
        found = _part(event, "diagnostic")
        if found.get("severity") == "error":
            yield diagnostic(found)


def plain_errors(text: str) -> Iterator[str]:
    """The errors in output without `-json`: from `Error: ` to the next one, or to a warning."""
    found: list[str] = []
    for line in text.splitlines():
        bare = line.lstrip("╷│╵ ").rstrip() if line.startswith(("╷", "│", "╵")) else line
        if bare.startswith(("Error: ", "Warning: ")):
            if found:
                yield "\n".join(found).strip()
            found = [bare] if bare.startswith("Error: ") else []
        elif found:
            found.append(bare)
    if found:
        yield "\n".join(found).strip()


def diagnostic(content: dict[str, Any]) -> str:
    """`Error: summary`, where it is, and its detail, laid out as Terraform does."""
    lines = [f"{str(content.get('severity', 'error')).capitalize()}: {content.get('summary', '')}"]
    if place := _part(content, "range"):
        snippet = _part(content, "snippet")
        context = f", in {snippet['context']}" if snippet.get("context") else ""
        line = _part(place, "start").get("line", 0)
        lines.append(f"  on {place.get('filename', '')} line {line}{context}")
        if code := snippet.get("code"):
            lines.append(f"  {line}: {code}")
    elif address := content.get("address"):
        lines.append(f"  with {address}")
    if detail := content.get("detail"):
        lines += ["", str(detail)]
    return _sound("\n".join(lines))


def _event(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return _beginning(line)
    return event if isinstance(event, dict) and "@message" in event else None


def _beginning(line: str) -> dict[str, Any] | None:
    """What the beginning of a line says whose end was cut off: level and message stand first in it."""
    found = _BEGINNING.match(line)
    if found is None:
        return None
    try:
        message = f"{json.loads(found[2])} (the rest is too long to be shown)"
    except ValueError:
        return None
    if found[1] != "error":
        return {"@message": message}
    told = {"severity": "error", "summary": message.removeprefix("Error: ")}
    return {"@message": message, "type": "diagnostic", "diagnostic": told}


def _part(content: dict[str, Any], key: str) -> dict[str, Any]:
    """An object within another; an empty one where there is none."""
    value = content.get(key)
    return value if isinstance(value, dict) else {}


def _sound(text: object) -> str:
    return str(text).replace("\0", "\ufffd").encode(errors="replace").decode()
