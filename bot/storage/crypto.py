"""Encryption at rest: what is secret is compressed, then sealed with AES-256-GCM, before it reaches a disk."""

from __future__ import annotations

import secrets

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.errors import UserError

SHORTEST_KEY = 32
"""Characters. A key is stretched by no password hash, so it has to be random and long: 32 hex digits are 128 bits."""

_VERSION = b"\x01"
_KEY_ID = 8
_NONCE = 12  # bytes; NIST SP 800-38D, 8.2: random nonces of 96 bits, for at most 2**32 messages a key
_HEAD = len(_VERSION) + _KEY_ID


class SealError(ValueError):
    """Sealed bytes cannot be opened: another key, another place, or damage."""


class Vault:
    """Seals and opens bytes.

    key: one secret or several separated by commas, each of at least SHORTEST_KEY characters. The first seals; all of
    them open, so that a key is replaced by putting the new one in front and resealing (`bot.storage.reseal`).
    Sealed bytes are: version (1 byte), id of the key (8), nonce (12), ciphertext with its tag.
    Safe to share between threads. Raises UserError for a key that is too short.
    """

    def __init__(self, key: str) -> None:
        names = [name.strip() for name in key.split(",") if name.strip()]
        if not names or any(len(name) < SHORTEST_KEY for name in names):
            raise UserError(
                f"The secret key is too short: each key needs at least {SHORTEST_KEY} random characters.",
                next_step="Make one with `openssl rand -hex 32` and set it as TOWPATH_SECRET_KEY.",
            )
        self._keys = {_derive(name, b"id", _KEY_ID): AESGCM(_derive(name, b"seal", 32)) for name in names}
        self._first = next(iter(self._keys))

    @property
    def key_id(self) -> str:
        """The id of the key that seals, in hex. It tells nothing about the key."""
        return self._first.hex()

    def seal(self, data: bytes, context: str) -> bytes:
        """`context` says where the bytes belong (`plans/<id>`): they open there and nowhere else."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._keys[self._first].encrypt(nonce, zstandard.compress(data), context.encode())
        return _VERSION + self._first + nonce + sealed

    def open(self, sealed: bytes, context: str) -> bytes:
        """What was sealed. Raises SealError for another key, another context, or damaged bytes."""
        if sealed[:1] != _VERSION or len(sealed) <= _HEAD + _NONCE:
            raise SealError(f"{context}: these bytes were not sealed by Towpath")
        cipher = self._keys.get(sealed[1:_HEAD])
        if cipher is None:
            raise SealError(
                f"{context}: sealed with key {sealed[1:_HEAD].hex()}, which is not among the given keys"
            )
        nonce = sealed[_HEAD : _HEAD + _NONCE]
        try:
            return zstandard.decompress(cipher.decrypt(nonce, sealed[_HEAD + _NONCE :], context.encode()))
        except InvalidTag:
            raise SealError(f"{context}: the sealed bytes are damaged or belong elsewhere") from None

    def current(self, sealed: bytes) -> bool:
        """Whether the first key sealed these bytes."""
        return sealed[1:_HEAD] == self._first


def _derive(name: str, purpose: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=b"towpath at rest " + purpose).derive(name.encode())
