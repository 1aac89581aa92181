"""Read what the secrets command prints: a JSON object, or lines such as `NAME=value`.

Nothing is skipped: an output that is only partly understood would be a part of the secrets.
"""

from __future__ import annotations

import json
import re
from io import StringIO

from dotenv.parser import parse_stream

from bot.secrets.values import as_text

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class NotUnderstood(ValueError):
    """The output is in neither format. The text completes a sentence that begins with the command, and quotes no value."""


def parse_output(output: bytes) -> dict[str, str]:
    """Return name → value. Raises NotUnderstood."""
    try:
        text = output.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise NotUnderstood("printed something that is not UTF-8") from None
    if not text:
        raise NotUnderstood("printed nothing; without secrets it has to print `{}`")
    return _from_json(text) if text.startswith("{") else _from_lines(text)


def _from_json(text: str) -> dict[str, str]:
    try:
        pairs = json.loads(text, object_pairs_hook=list)
    except (ValueError, RecursionError) as error:
        line = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise NotUnderstood(f"printed a JSON object with a mistake{line}") from None
    found: dict[str, str] = {}
    for number, (name, value) in enumerate(pairs, 1):
        _add(found, name, as_text(value), f"key {number}")
    return found


def _from_lines(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in parse_stream(StringIO(text)):
        written = line.original.string
        blank = written[: len(written) - len(written.lstrip())].count("\n")
        where = f"line {line.original.line + blank}"
        if line.error or (line.key is not None and line.value is None):
            raise NotUnderstood(f"printed neither a JSON object nor lines such as `NAME=value` ({where})")
        if line.key is not None:
            _add(found, line.key, as_text(line.value), where)
    return found


def _add(found: dict[str, str], name: str, value: str | None, where: str) -> None:
    if not _NAME.fullmatch(name):
        raise NotUnderstood(f"printed something else than the name of a variable ({where})")
    if name in found:
        raise NotUnderstood(f"printed `{name}` twice")
    if value is None:
        raise NotUnderstood(f"printed a `{name}` that is not a text, a number or a boolean")
    found[name] = value
