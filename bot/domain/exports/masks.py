"""What each mask does to uniqueness, and which types it fits. The implementations are in bot.exports.masks."""

from __future__ import annotations

from typing import Literal

from bot.domain.exports.policy import MaskName
from bot.domain.exports.schema import Column

Uniqueness = Literal["unique", "checked", "lossy"]
"""`unique`: different values stay different. `checked`: they do but for accidents, which the run looks for. `lossy`: many become
equal."""

INTEGERS = ("smallint", "integer", "bigint")
NUMBERS = (*INTEGERS, "numeric", "real", "double precision")
TEXTS = ("text", "character varying", "character", "citext", "name")
DATES = ("date", "timestamp without time zone", "timestamp with time zone")

_FITS: dict[MaskName, tuple[str, ...]] = {
    "email": TEXTS,
    "name": TEXTS,
    "phone": TEXTS,
    "address": TEXTS,
    "text": TEXTS,
    "number": NUMBERS,
    "date_shift": DATES,
    "token": (*TEXTS, *INTEGERS, "uuid"),
    "digest": (*TEXTS, "bytea"),
}
_SHORTEST: dict[MaskName, int] = {"email": 18}
"""Characters that a column needs at least: `u`, four letters and `@example.com`."""
_LONG_ENOUGH = 12
"""Characters of a token or digest below which two values may well meet: 12 letters of 32 are 60 bits."""


def uniqueness(mask: MaskName, column: Column) -> Uniqueness:
    """Return what a mask does to a unique column."""
    if mask == "token":
        return "unique" if column.base in INTEGERS else "checked"
    if mask in ("email", "digest"):
        return "checked"
    return "lossy"


def refuse_mask(mask: MaskName, column: Column) -> str:
    """Return why a mask does not fit a column, in words that follow the column; "" if it does."""
    if column.base not in _FITS[mask]:
        fitting = [name for name, types in _FITS.items() if column.base in types]
        instead = f"use {', '.join(f'`{name}`' for name in fitting)}, " if fitting else "use "
        return f"is `{column.type}`, which `{mask}` does not fit; {instead}`null` or a fixed value"
    if column.length and column.length < _SHORTEST.get(mask, 1):
        return f"has at most {column.length} characters, and `{mask}` needs {_SHORTEST[mask]}"
    return ""


def weak_on_unique(mask: MaskName, column: Column) -> bool:
    """Whether the column is too short for a mask to keep it unique."""
    return mask in ("token", "digest") and column.base in TEXTS and 0 < column.length < _LONG_ENOUGH


def fitting(column: Column) -> tuple[MaskName, ...]:
    """Return the masks for a column's type."""
    return tuple(name for name, types in _FITS.items() if column.base in types)
