"""Masks of numbers and dates: moved by a distance that the key and the value decide."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from bot.errors import UserError
from bot.exports.masks.digest import Digest

Mask = Callable[[bytes], bytes]

_SPECIAL = frozenset([b"NaN", b"Infinity", b"-Infinity", b"infinity", b"-infinity"])
_NUMBER_DISTANCE = 1000
"""`number` without `within`."""
_DATE_DISTANCE = 365
"""Days; `date_shift` without `within`."""


def _distance(digest: Digest, value: bytes, within: int) -> int:
    """Return a distance from -within to within, never 0."""
    found = int.from_bytes(digest(value)[:8], "big")
    size = 1 + found // 2 % within
    return size if found % 2 else -size


def integer(digest: Digest, bits: int, within: int) -> Mask:
    """An integer near the value, within the type. bits: of the type without the sign."""
    most, reach = (1 << bits) - 1, within or _NUMBER_DISTANCE

    def mask(value: bytes) -> bytes:
        number, distance = int(value), _distance(digest, value, reach)
        moved = number + distance
        return str(moved if -most - 1 <= moved <= most else number - distance).encode()

    return mask


def decimal(digest: Digest, within: int) -> Mask:
    """A number near the value, with as many decimals. One that has no digits, such as NaN, stays."""
    reach = within or _NUMBER_DISTANCE

    def mask(value: bytes) -> bytes:
        if value in _SPECIAL:
            return value
        number = Decimal(value.decode())
        moved = abs(number) + Decimal(abs(_distance(digest, value, reach)))
        whole = str(-moved if number < 0 else moved)
        return whole.encode()

    return mask


def day(digest: Digest, within: int) -> Mask:
    """A date or timestamp some days earlier or later; the time of day stays."""
    reach = within or _DATE_DISTANCE

    def mask(value: bytes) -> bytes:
        if value in _SPECIAL:
            return value
        try:
            moved = date.fromisoformat(value[:10].decode()).toordinal() + _distance(digest, value[:10], reach)
            return date.fromordinal(moved).isoformat().encode() + value[10:]
        except (ValueError, OverflowError):
            raise UserError(
                f"A date that `date_shift` cannot move: `{value[:30].decode(errors='replace')}`.",
                next_step='Use "null" or a fixed value for this column in `envs/export.toml`.',
            ) from None

    return mask
