"""Masks that read like people's data: names, phone numbers, addresses, texts. Different values may become equal."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from bot.exports.masks.digest import Digest

Mask = Callable[[bytes], bytes]

_PHONE = b"+999"
"""No country has it: ITU-T E.164 keeps 999 free."""
_WORDS = b"this text was replaced when the data was copied from production so that nobody can read what people wrote there "


@cache
def names() -> tuple[list[bytes], list[bytes], list[bytes]]:
    """Return first names, last names and streets, from Faker's lists for the United States. Only plain ASCII ones: they
    need no escaping."""
    from faker.providers.address.en_US import Provider as Address
    from faker.providers.person.en_US import Provider as Person

    def plain(words: object) -> list[bytes]:
        found = {str(word) for word in words}  # type: ignore[attr-defined]
        return [word.encode() for word in sorted(found) if word.isascii() and word.replace("'", "").isalpha()]

    last = plain(Person.last_names)
    streets = [name + b" " + suffix for name in last[:500] for suffix in plain(Address.street_suffixes)[:8]]
    return plain(Person.first_names), last, streets


def name(digest: Digest, length: int) -> Mask:
    """A first and a last name; one word where the value is one."""
    first, last, _ = names()

    def mask(value: bytes) -> bytes:
        found = digest(value)
        one = first[int.from_bytes(found[:4], "big") % len(first)]
        if b" " in value:
            one += b" " + last[int.from_bytes(found[4:8], "big") % len(last)]
        return one[:length] if length else one

    return mask


def phone(digest: Digest, length: int) -> Mask:
    """A number that cannot be called."""
    return lambda value: (_PHONE + b"%09d" % (int.from_bytes(digest(value)[:8], "big") % 10**9))[
        : length or None
    ]


def address(digest: Digest, length: int) -> Mask:
    """A house number and a street."""
    _, _, streets = names()

    def mask(value: bytes) -> bytes:
        found = digest(value)
        street = streets[int.from_bytes(found[:4], "big") % len(streets)]
        return (b"%d " % (1 + found[4]) + street)[: length or None]

    return mask


def text(_digest: Digest, length: int) -> Mask:
    """Filler of the length of the value, at most 64 KB: nothing that anybody wrote is left."""
    filler = _WORDS * (65536 // len(_WORDS) + 1)
    most = min(length or 65536, 65536)
    return lambda value: filler[: min(len(value), most)]
