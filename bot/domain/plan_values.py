"""Values before and after a plan: compared, spelt as HCL, with what is sensitive or unknown masked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.domain.hiding import hide

SENSITIVE = "(sensitive value)"
UNKNOWN = "(known after apply)"

_VALUE_LIMIT = 500
"""Characters of one value that are kept; a longer one ends in an ellipsis."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")

Steps = tuple[str | int, ...]


@dataclass(frozen=True)
class Pair:
    """A value before and after, with the plan's marks beside it: True for all of it, or nested like the value."""

    before: Any
    after: Any
    unknown: Any
    hidden: tuple[Any, Any]

    @classmethod
    def of(cls, change: Mapping[str, Any]) -> Pair:
        hidden = (change.get("before_sensitive"), change.get("after_sensitive"))
        return cls(change.get("before"), change.get("after"), change.get("after_unknown"), hidden)

    def at(self, key: str | int) -> Pair:
        hidden = (_child(self.hidden[0], key), _child(self.hidden[1], key))
        unknown = _child(self.unknown, key)
        return Pair(_child(self.before, key, None), _child(self.after, key, None), unknown, hidden)

    @property
    def secret(self) -> bool:
        """What is sensitive on one side is hidden on both: a mark may come or go with the very plan."""
        return any(mark is True for mark in self.hidden)

    @property
    def keys(self) -> list[str | int]:
        """What to look into: keys, or indices where a list holds more than plain values; empty for a leaf."""
        sides = [side for side in (self.before, self.after) if side is not None]
        if self.secret or self.unknown is True or not sides:
            return []
        if all(isinstance(side, dict) for side in sides):
            return self.names
        nested = any(isinstance(item, dict) for side in sides if isinstance(side, list) for item in side)
        if nested and all(isinstance(side, list) for side in sides):
            return list(range(max(len(side) for side in sides)))
        return []

    @property
    def names(self) -> list[str | int]:
        """The keys of both sides, and of what is not known yet."""
        sides = (self.before, self.after, self.unknown)
        return sorted({key for side in sides if isinstance(side, dict) for key in side})

    def redacted(self, redact: Callable[[str], str]) -> Pair:
        """Without secrets that nothing marks. Only once both sides were compared: what is hidden looks the same."""
        return replace(self, before=hide(self.before, redact), after=hide(self.after, redact))

    @property
    def shown(self) -> tuple[str, str]:
        """Both sides masked; empty where there is nothing."""
        before = "" if self.before is None else _literal(self.before, self.hidden, None)
        gone = self.after is None and not self.unknown
        return _cut(before), "" if gone else _cut(_literal(self.after, self.hidden, self.unknown))


def _child(value: Any, key: str | int, missing: Any = False) -> Any:
    if value is True:
        return True
    if isinstance(value, dict):
        return value.get(key, missing)
    if isinstance(value, list) and isinstance(key, int) and key < len(value):
        return value[key]
    return missing


def differences(path: Steps, pair: Pair) -> Iterator[tuple[Steps, Pair]]:
    if pair.before == pair.after and not _any(pair.unknown):
        return
    keys = pair.keys if path else pair.names
    for key in keys:
        yield from differences((*path, key), pair.at(key))
    if not keys and path:
        yield path, pair


def _any(mark: Any) -> bool:
    if isinstance(mark, (dict, list)):
        return any(_any(item) for item in (mark.values() if isinstance(mark, dict) else mark))
    return bool(mark)


def _literal(value: Any, hidden: tuple[Any, Any], unknown: Any) -> str:
    """A value as HCL, its sensitive and unknown parts masked."""
    if any(mark is True for mark in hidden):
        return SENSITIVE
    if unknown is True:
        return UNKNOWN

    def part(key: str | int, item: Any) -> str:
        return _literal(item, (_child(hidden[0], key), _child(hidden[1], key)), _child(unknown, key))

    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)} = {part(key, item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(part(index, item) for index, item in enumerate(value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _cut(text: str) -> str:
    return text if len(text) <= _VALUE_LIMIT else text[: _VALUE_LIMIT - 1] + "…"


def _key(key: str) -> str:
    return key if _NAME.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def spell(path: Steps) -> str:
    text = ""
    for step in path:
        plain = isinstance(step, str) and _NAME.fullmatch(step)
        text += f".{step}" if plain else f"[{json.dumps(step, ensure_ascii=False)}]"
    return text.lstrip(".")
