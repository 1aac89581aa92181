"""Parse Terraform's machine-readable UI (`-json`, format 1.x) into progress and readable text.

A provisioner may write anything into the same output, so no field is trusted. The texts returned here never contain
characters that a database or an encoder refuses (NUL, lone surrogates).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Literal

from bot.domain.ports.terraform import Progress
from bot.domain.why import Diagnostic

State = Literal["", "planned", "started", "progress", "done", "failed"]

_STATES: dict[str, State] = {
    "planned_change": "planned",
    "apply_start": "started",
    "apply_progress": "progress",
    "apply_complete": "done",
    "apply_errored": "failed",
}
_HIDDEN = frozenset({"version", "outputs"})
"""Types that are not shown: the version is known, and outputs are read with `output -json`."""

PROVISIONER_OUTPUT = b'"type":"provision_progress"'
"""Occurs in the lines of a provisioner, which may write without end."""

_TRUNCATED = re.compile(
    r'\{"@level":"([a-z]{1,9})","@message":("(?:[^"\\]|\\.){0,2000}+"),"@module":"terraform\.ui",'
)
"""The beginning of a line that was cut off; Terraform writes its keys in alphabetical order."""


def read(line: str) -> tuple[Progress, ...]:
    """Parse a line into one Progress per line of text. A line that is not JSON counts as plain text."""
    event = _event(line)
    if event is None:
        return (Progress(_clean(line)),) if line.strip() else ()
    kind = str(event.get("type", ""))
    if kind in _HIDDEN:
        return ()
    if kind == "diagnostic":
        return tuple(Progress(text) for text in diagnostic(_object(event, "diagnostic")).splitlines())
    message = _clean(event.get("@message", ""))
    hook = _object(event, "hook") or _object(event, "change")
    address = _clean(_object(hook, "resource").get("addr", ""))
    if kind in _STATES and address:
        elapsed = hook.get("elapsed_seconds")
        seconds = float(elapsed) if isinstance(elapsed, int | float) and 0 <= elapsed < 1e9 else 0.0
        return (Progress(message, address, _STATES[kind], _clean(hook.get("action", "")), seconds),)
    return tuple(Progress(text) for text in message.splitlines() if text.strip())


def errors(line: str) -> Iterator[tuple[str, Diagnostic]]:
    """Yield the error in a line, as text and typed; warnings are ignored. Its file is as Terraform names it."""
    event = _event(line)
    if event and event.get("type") == "diagnostic":
        content = _object(event, "diagnostic")
        if content.get("severity") == "error":
            yield diagnostic(content), _typed(content)


def _typed(content: dict[str, Any]) -> Diagnostic:
    source = _object(content, "range")
    line = _number(_object(source, "start").get("line"))
    return Diagnostic(
        _clean(content.get("summary", "")),
        _clean(content.get("detail") or ""),
        _clean(source.get("filename") or ""),
        line,
        max(line, _number(_object(source, "end").get("line"))),
        _clean(content.get("address") or ""),
    )


def _number(value: object) -> int:
    """Return a line's number, 0 for anything that is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 31 else 0


def diagnostic(content: dict[str, Any]) -> str:
    """Format a diagnostic as Terraform does: severity and summary, source location, detail."""
    lines = [f"{str(content.get('severity', 'error')).capitalize()}: {content.get('summary', '')}"]
    if source := _object(content, "range"):
        snippet = _object(content, "snippet")
        context = f", in {snippet['context']}" if snippet.get("context") else ""
        line = _object(source, "start").get("line", 0)
        lines.append(f"  on {source.get('filename', '')} line {line}{context}")
        if code := snippet.get("code"):
            lines.append(f"  {line}: {code}")
    elif address := content.get("address"):
        lines.append(f"  with {address}")
    if detail := content.get("detail"):
        lines += ["", str(detail)]
    return _clean("\n".join(lines))


def _event(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return _truncated_event(line)
    return event if isinstance(event, dict) and "@message" in event else None


def _truncated_event(line: str) -> dict[str, Any] | None:
    """Return what can be read of a line whose end was cut off: its level and message come first."""
    match = _TRUNCATED.match(line)
    if match is None:
        return None
    try:
        message = f"{json.loads(match[2])} (the rest is too long to be shown)"
    except ValueError:
        return None
    if match[1] != "error":
        return {"@message": message}
    content = {"severity": "error", "summary": message.removeprefix("Error: ")}
    return {"@message": message, "type": "diagnostic", "diagnostic": content}


def _object(content: dict[str, Any], key: str) -> dict[str, Any]:
    """Return a nested object, or an empty one if there is none."""
    value = content.get(key)
    return value if isinstance(value, dict) else {}


def _clean(text: object) -> str:
    return str(text).replace("\0", "\ufffd").encode(errors="replace").decode()
