"""What a page's request holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.errors import UserError


class Asked:
    """The fields of one request, checked as they are read. Raises UserError for what is missing or of another type."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields

    def text(self, name: str, default: str | None = None) -> str:
        value = self._fields.get(name, default)
        if not isinstance(value, str):
            raise UserError(f"The page sent no {name}.", next_step="Reload it.")
        return value

    def number(self, name: str) -> int:
        text = str(self._fields.get(name, ""))
        if not text.isascii() or not text.isdigit() or len(text) > 15:
            raise UserError(f"The page sent no {name}.", next_step="Reload it.")
        return int(text)

    def flag(self, name: str) -> bool:
        return self._fields.get(name) in (True, "true", "on")

    def values(self, name: str) -> dict[str, Any]:
        value = self._fields.get(name)
        return dict(value) if isinstance(value, dict) else {}
