"""Masks that keep unique columns unique: tokens and digests of texts, integers and UUIDs, and e-mail addresses."""

from __future__ import annotations

import base64
from collections.abc import Callable
from uuid import UUID

from bot.exports.masks.digest import Digest

Mask = Callable[[bytes], bytes]

DOMAIN = b"@example.com"
"""Reserved for examples by RFC 2606, so that staging writes to nobody."""
_ROUNDS = 4
"""Of the Feistel network. Luby and Rackoff: four make a strong pseudorandom permutation of a random function."""
_LOWER = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"abcdefghijklmnopqrstuvwxyz")


def text_token(digest: Digest, length: int) -> Mask:
    """A lowercase word of at most 26 characters. length: of the column, 0 for no limit."""
    most = min(length or 26, 26)

    def mask(value: bytes) -> bytes:
        return base64.b32encode(digest(value)).translate(_LOWER)[:most]

    return mask


def text_digest(digest: Digest, length: int) -> Mask:
    """32 hex digits, fewer if the column is shorter."""
    most = min(length or 32, 32)
    return lambda value: digest(value).hex().encode()[:most]


def bytea_digest(digest: Digest) -> Mask:
    """16 bytes, in Postgres's hex format; the backslash is escaped for COPY."""
    return lambda value: b"\\\\x" + digest(value).hex().encode()


def uuid_token(digest: Digest) -> Mask:
    """A UUID of version 4."""
    return lambda value: str(UUID(bytes=digest(value), version=4)).encode()


def email(digest: Digest, length: int) -> Mask:
    """An address that nobody has. length: of the column, 0 for no limit."""
    most = min((length or 64) - len(DOMAIN) - 1, 20)

    def mask(value: bytes) -> bytes:
        return b"u" + base64.b32encode(digest(value)).translate(_LOWER)[:most] + DOMAIN

    return mask


def integer_token(digest: Digest, bits: int) -> Mask:
    """Another integer of the same sign below 2^bits: a permutation, so no two values meet. bits: of the type without the sign.

    The network works on an even number of bits; a value that leaves the range goes through it again (cycle walking).
    """
    half = (bits + 1) // 2
    low, limit = (1 << half) - 1, 1 << bits
    need = (half + 7) // 8
    tags = [bytes([number]) for number in range(_ROUNDS)]

    def permute(number: int) -> int:
        left, right = number >> half, number & low
        for tag in tags:
            word = int.from_bytes(digest(tag + right.to_bytes(need, "big"))[:need], "big") & low
            left, right = right, left ^ word
        return left << half | right

    def mask(value: bytes) -> bytes:
        number = int(value)
        negative = number < 0
        found = permute(-number - 1 if negative else number)
        while found >= limit:
            found = permute(found)
        return str(-found - 1 if negative else found).encode()

    return mask
