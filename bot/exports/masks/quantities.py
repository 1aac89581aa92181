"""Masks of numbers and dates: moved by a distance that the key and the value decide.

Each value has a distance of its own. One distance for a whole column would keep the order of its values, but whoever knows one
person's true value could undo it for everybody.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal

from bot.errors import UserError
from bot.exports.masks.digest import Digest
from bot.exports.masks.values import Mask, Remembered

_NUMBER_WITHIN = 1000
_DAYS_WITHIN = 365
"""Distances without `within`, which a policy's file always has."""
_SPECIAL = frozenset([b"NaN", b"Infinity", b"-Infinity", b"infinity", b"-infinity"])
_NUMERIC = re.compile(r"numeric\((\d+),(-?\d+)\)")
_DAY = re.compile(rb"(\d{4,})-(\d\d)-(\d\d)( BC)?")
_CYCLE = 400
"""Years after which the calendar repeats itself."""
_MOST_DAYS = 1_000_000
"""A day of the years 1 to 9999 can always be moved so far, in one direction, without leaving them."""


def _distance(digest: Digest, value: bytes, within: int) -> int:
    """Return a distance from -within to within, never 0."""
    found = int.from_bytes(digest(value), "big")
    size = 1 + found // 2 % within
    return size if found % 2 else -size


def largest(type_: str) -> int | None:
    """Return the largest whole part of a type such as `numeric(10,2)`, None if it has no limit."""
    found = _NUMERIC.fullmatch(type_)
    return 10 ** max(0, int(found[1]) - int(found[2])) - 1 if found else None


def number(digest: Digest, within: int, most: int | None) -> Mask:
    """A number near the value, with its sign and as many decimals. One without digits, such as NaN, stays. most: the largest
    whole part, None for no limit."""
    reach = within or _NUMBER_WITHIN

    def mask(value: bytes) -> bytes:
        if value in _SPECIAL:
            return value
        sign, digits, exponent = Decimal(value.decode()).as_tuple()
        assert isinstance(exponent, int)  # noqa: S101 - the others are special
        # In units of the last decimal, since Decimal itself would round to 28 digits.
        scale = max(0, -exponent)
        size = int("".join(map(str, digits))) * 10 ** max(0, exponent)
        limit = None if most is None else (most + 1) * 10**scale - 1
        moved = _near(size, _distance(digest, value, reach * 10**scale), limit)
        text = str(moved).zfill(scale + 1)
        whole = f"{text[:-scale]}.{text[-scale:]}" if scale else text
        return (b"-" if sign and moved else b"") + whole.encode()

    return mask


def _near(size: int, distance: int, most: int | None) -> int:
    """Return size + distance, or size - distance if that stays between 0 and `most` and the first does not; else a value
    between 0 and `most` that is not further away."""
    for moved in (size + distance, size - distance):
        if moved >= 0 and (most is None or moved <= most):
            return moved
    assert most is not None  # noqa: S101 - one of the two is above 0
    if most - size >= size:
        return size + abs(distance) % (most - size + 1)
    return size - abs(distance) % (size + 1)


def day(digest: Digest, within: int) -> Mask:
    """A date or timestamp some days earlier or later; the time of day stays, and so do infinite ones. Days of the years 1 to 9999
    stay among them, which many programs rely on."""
    reach = min(within or _DAYS_WITHIN, _MOST_DAYS)

    def shifted(value: bytes) -> bytes:
        if value in _SPECIAL:
            return value
        found = _DAY.fullmatch(value)
        if found is None:  # without the value: people see this text
            raise UserError(
                "`date_shift` cannot read a date of the source.",
                next_step='Use "null" or a fixed value for the column in `envs/export.toml`.',
            )
        year = 1 - int(found[1]) if found[4] else int(found[1])
        distance = _distance(digest, value, reach)
        moved = _moved(year, int(found[2]), int(found[3]), distance)
        if _era(moved[0]) != _era(year):
            moved = _moved(year, int(found[2]), int(found[3]), -distance)
        shown = 1 - moved[0] if found[4] else moved[0]
        return b"%04d-%02d-%02d" % (shown, moved[1], moved[2]) + (found[4] or b"")

    days = Remembered(shifted)

    def mask(value: bytes) -> bytes:
        head, _, time = value.partition(b" ")
        if time.endswith(b"BC"):
            return days[head + b" BC"][:-2] + time
        return days[head] + b" " + time if time else days[head]

    return mask


def _moved(year: int, month: int, day_: int, distance: int) -> tuple[int, int, int]:
    """Move a day. year: 0 is 1 BC. Python has dates of the years 1 to 9999 alone, Postgres many more."""
    base = 4000 + year % _CYCLE
    found = date(base, month, day_) + timedelta(distance)
    return year + found.year - base, found.month, found.day


def _era(year: int) -> int:
    return (year > 0) + (year > 9999)
