"""Write values and paths as HCL."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from bot.domain.plans.values import Digits, Hidden, Null, Steps, Tree, Unknown

SENSITIVE = "(sensitive value)"
UNKNOWN = "(known after apply)"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def exceeds(value: Tree, limit: int, clear: Callable[[str], str]) -> bool:
    """Whether `literal` would surely write more characters than that. Reads no more of the value than it must."""
    return _room(value, limit, clear) < 0


def _room(value: Tree, room: int, clear: Callable[[str], str]) -> int:
    if isinstance(value, str):
        return room - len(clear(value)) - 2
    for key in value if isinstance(value, dict | list) else ():
        if room < 0:
            break
        room = (
            _room(value[key], room - len(clear(key)) - 3, clear)
            if isinstance(value, dict)
            else _room(key, room - 1, clear)
        )
    return room


def literal(value: Tree, clear: Callable[[str], str] = str) -> str:
    """Write a value as HCL in one line. clear: removes the redactor's tags."""
    if isinstance(value, Hidden):
        return SENSITIVE
    if isinstance(value, Unknown):
        return UNKNOWN
    if isinstance(value, Digits):
        return value.text
    if isinstance(value, Null):
        return "null"
    if isinstance(value, dict):
        items = (f"{_key(clear(key))} = {literal(item, clear)}" for key, item in value.items())
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(literal(item, clear) for item in value) + "]"
    return quote(clear(value)) if isinstance(value, str) else json.dumps(value)


def _key(key: str) -> str:
    return key if _NAME.fullmatch(key) else quote(key)


def spell_path(path: Steps) -> str:
    """Write a path as in HCL: `tags.env`, `ports[0]`."""
    text = ""
    for step in path:
        plain = isinstance(step, str) and _NAME.fullmatch(step)
        text += f".{step}" if plain else f"[{quote(step) if isinstance(step, str) else step}]"
    return text.lstrip(".")


def quote(text: str) -> str:
    """Write a string in quotes, with everything escaped that cannot be seen."""
    return visible(json.dumps(text, ensure_ascii=False))


def visible(text: str) -> str:
    """Escape the characters that cannot be seen, such as control characters, and zero-width or non-breaking spaces."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    code = ord(char)
    known = {"\t": "\\t", "\r": "\\r", "\n": "\\n"}
    return known.get(char) or (f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
