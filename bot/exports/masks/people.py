"""Masks that read like people's data: names, phone numbers, addresses, texts. Different values may become equal."""

from __future__ import annotations

from functools import cache

from bot.exports.masks.digest import Digest
from bot.exports.masks.values import Mask, characters

_PHONE = b"+999"
"""No country has it: ITU-T E.164 keeps 999 free."""
_DIGITS = bytes(b"0123456789"[byte % 10] for byte in range(256))
_WORDS = b"lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore magna aliqua "
_LONGEST = 65536
"""Characters of filler."""


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
    most = length or None
    return lambda value: (_PHONE + digest(value)[:9].translate(_DIGITS))[:most]


def address(digest: Digest, length: int) -> Mask:
    """A house number and a street."""
    _, _, streets = names()

    def mask(value: bytes) -> bytes:
        found = digest(value)
        street = streets[int.from_bytes(found[:4], "big") % len(streets)]
        return (b"%d " % (1 + found[4]) + street)[: length or None]

    return mask


def text(_digest: Digest, length: int) -> Mask:
    """Filler of as many characters as the value, at most 64 K: nothing that anybody wrote is left."""
    filler = _WORDS * (_LONGEST // len(_WORDS) + 1)
    most = min(length or _LONGEST, _LONGEST)
    enough = 8 * _LONGEST  # bytes that `most` characters take, escaped, so that no huge value is decoded
    return lambda value: filler[: min(characters(value[:enough]), most)]
