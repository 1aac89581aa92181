"""Fields of a request that the page sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.errors import UserError


class RequestFields:
    """The fields of one request, checked when read. Raises UserError if one is missing or has the wrong type."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text."""
        value = self._fields.get(name, default)
        if not isinstance(value, str):
            raise _invalid(name)
        return value

    def number(self, name: str) -> int:
        """Return a number of at most 15 digits."""
        text = str(self._fields.get(name, ""))
        if not text.isascii() or not text.isdigit() or len(text) > 15:
            raise _invalid(name)
        return int(text)

    def flag(self, name: str) -> bool:
        """Return whether a switch is on."""
        return self._fields.get(name) in (True, "true", "on")

    def form(self, name: str) -> dict[str, Any]:
        """Return a form's values: field name to text or list of texts. Empty if there is none."""
        value = self._fields.get(name)
        return dict(value) if isinstance(value, dict) else {}


def _invalid(name: str) -> UserError:
    return UserError(f"The page sent no valid {name}.", next_step="Reload it.")
