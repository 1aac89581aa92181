"""Tolerant, typed reading of JSON from outside: only what is needed is looked at, and that must be right."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

REPOSITORY = re.compile(r"(?!\.+/)[A-Za-z0-9._-]{1,100}/(?!\.+$)[A-Za-z0-9._-]{1,100}")
SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
LOGIN = re.compile(r"[A-Za-z0-9_.-]{1,100}(?:\[bot\])?")
GHOST = "ghost"
"""Whom GitHub shows in the place of a deleted user."""


class Malformed(ValueError):
    """The payload does not have the shape that it claims to have."""


class Fields:
    """One JSON object; every reader raises Malformed where the value is missing or of another type.

    where: the path of this object, for the error's text.
    """

    def __init__(self, value: Any, where: str = "payload") -> None:
        if not isinstance(value, dict):
            raise Malformed(f"{where} is not an object")
        self._value = value
        self._where = where

    def _refuse(self, key: str, expected: str) -> Malformed:
        return Malformed(f"{self._where}.{key} is not {expected}")

    def text(self, key: str, default: str | None = None) -> str:
        """A string; `default`, where one is given, stands for a missing or null value."""
        value = self._value.get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or "\0" in value:
            raise self._refuse(key, "a text")
        try:
            value.encode()
        except UnicodeEncodeError:  # half a surrogate pair: JSON can spell it, no database can keep it
            raise self._refuse(key, "a text") from None
        return value

    def matching(self, key: str, pattern: re.Pattern[str]) -> str:
        value = self.text(key)
        if not pattern.fullmatch(value):
            raise self._refuse(key, "well formed")
        return value

    def sha(self, key: str) -> str:
        """A commit's id, 40 or 64 hexadecimal digits."""
        return self.matching(key, SHA)

    def number(self, key: str) -> int:
        """A whole number from 0 up to what a 64-bit column can hold."""
        value = self._value.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
            raise self._refuse(key, "a number")
        return value

    def flag(self, key: str) -> bool:
        """True or false; a missing or null value is false."""
        value = self._value.get(key)
        if value is not None and not isinstance(value, bool):
            raise self._refuse(key, "true or false")
        return bool(value)

    def time(self, key: str) -> datetime:
        """A time as GitHub writes it (ISO 8601), as aware UTC."""
        try:
            value = datetime.fromisoformat(self.text(key))
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise self._refuse(key, "a time") from None

    def has(self, key: str) -> bool:
        return self._value.get(key) is not None

    def fields(self, key: str) -> Fields:
        return Fields(self._value.get(key), f"{self._where}.{key}")

    def items(self, key: str) -> list[Fields]:
        """A list of objects; a missing or null value is an empty list."""
        return listed(self._value.get(key) or [], f"{self._where}.{key}")

    def login(self, key: str) -> str:
        """The login of the user under `key`; the ghost's for a deleted one."""
        return self.fields(key).matching("login", LOGIN) if self.has(key) else GHOST


def listed(value: Any, where: str = "payload") -> list[Fields]:
    """A list of objects. Raises Malformed for anything else."""
    if not isinstance(value, list):
        raise Malformed(f"{where} is not a list")
    return [Fields(item, f"{where}[{index}]") for index, item in enumerate(value)]
