"""Masks that keep unique columns unique: tokens and digests of texts, integers and UUIDs, and e-mail addresses."""

from __future__ import annotations

from bot.exports.masks.digest import Digest
from bot.exports.masks.values import Mask

DOMAIN = b"@example.com"
"""Reserved for examples by RFC 2606, so that staging writes to nobody."""
_LETTERS = bytes(b"abcdefghijklmnopqrstuvwxyz234567"[byte & 31] for byte in range(256))
"""From a byte to the letter of base32 (RFC 4648, lowercase) that its last five bits are."""
_TOKEN = 26
"""Letters of a token: 130 bits, so two of a billion values are equal with a chance of 10⁻²¹."""
_ROUNDS = 6
"""Of the Feistel network. Patarin (CRYPTO 2004): with six, nothing tells it from a random permutation before about 2^(half its
width) values are known."""


def text_token(digest: Digest, length: int) -> Mask:
    """A lowercase word of at most 26 characters. length: of the column, 0 for no limit."""
    most = min(length or _TOKEN, _TOKEN)
    return lambda value: digest(value)[:most].translate(_LETTERS)


def text_digest(digest: Digest, length: int) -> Mask:
    """32 hex digits, fewer if the column is shorter."""
    most = min(length or 32, 32)
    return lambda value: digest(value).hex()[:most].encode()


def bytea_digest(digest: Digest) -> Mask:
    """16 bytes, in Postgres's hex format; the backslash is escaped for COPY."""
    return lambda value: b"\\\\x" + digest(value)[:16].hex().encode()


def uuid_token(digest: Digest) -> Mask:
    """A UUID of version 4 (RFC 9562)."""

    def mask(value: bytes) -> bytes:
        found = digest(value)
        text = found[:16].hex()
        variant = "89ab"[found[16] & 3]
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}".encode()

    return mask


def email(digest: Digest, length: int) -> Mask:
    """An address that nobody has. length: of the column, 0 for no limit."""
    most = min((length or 64) - len(DOMAIN) - 1, 20)
    return lambda value: b"u" + digest(value)[:most].translate(_LETTERS) + DOMAIN


def integer_token(digest: Digest, bits: int) -> Mask:
    """Another integer of the same sign below 2^bits: a permutation, so no two values meet. bits: of the type without the sign.

    A Feistel network whose halves differ by one bit and take turns, so that it permutes exactly the type's range.
    """
    low = bits // 2
    high_mask, low_mask = (1 << bits - low) - 1, (1 << low) - 1
    tags = [bytes([number]) for number in range(_ROUNDS)]

    def permute(number: int) -> int:
        left, right = number >> low, number & low_mask
        for tag in tags[::2]:
            left ^= int.from_bytes(digest(tag + right.to_bytes(4, "big"))[:4], "big") & high_mask
            right ^= int.from_bytes(digest(b"r" + tag + left.to_bytes(4, "big"))[:4], "big") & low_mask
        return left << low | right

    def mask(value: bytes) -> bytes:
        number = int(value)
        return b"%d" % (permute(number) if number >= 0 else -permute(-number - 1) - 1)

    return mask
