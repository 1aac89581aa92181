"""Terraform's own machine-readable lines (`-json`, "machine-readable UI" 1.x) as progress and as text for people."""

from __future__ import annotations

import json
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


def read(line: str) -> tuple[Progress, ...]:
    """What a line says; one Progress a line of text. A line that is no JSON is text itself; silence is empty."""
    event = _event(line)
    if event is None:
        return (Progress(line),) if line.strip() else ()
    kind = event.get("type", "")
    if kind in _SILENT:
        return ()
    if kind == "diagnostic":
        return tuple(Progress(text) for text in diagnostic(event.get("diagnostic") or {}).splitlines())
    message = str(event.get("@message", ""))
    hook = event.get("hook") or event.get("change") or {}
    address = str((hook.get("resource") or {}).get("addr", ""))
    if kind in _STATES and address:
        elapsed = float(hook.get("elapsed_seconds") or 0)
        return (Progress(message, address, _STATES[kind], str(hook.get("action", "")), elapsed),)
    return tuple(Progress(text) for text in message.splitlines() if text.strip())


def errors(line: str) -> Iterator[str]:
    """The error in a line, as text; warnings are none."""
    event = _event(line)
    if event and event.get("type") == "diagnostic":
        found = event.get("diagnostic") or {}
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
    if place := content.get("range"):
        snippet = content.get("snippet") or {}
        context = f", in {snippet['context']}" if snippet.get("context") else ""
        line = (place.get("start") or {}).get("line", 0)
        lines.append(f"  on {place.get('filename', '')} line {line}{context}")
        if code := snippet.get("code"):
            lines.append(f"  {line}: {code}")
    elif address := content.get("address"):
        lines.append(f"  with {address}")
    if detail := content.get("detail"):
        lines += ["", str(detail)]
    return "\n".join(lines)


def _event(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and "@message" in event else None
