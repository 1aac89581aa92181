"""Encrypt data at rest: compressed, then sealed with AES-256-GCM."""

from __future__ import annotations

import secrets

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.errors import UserError

SHORTEST_KEY = 32
"""Characters. No password hash stretches a key, so it must be random and long: 32 hex digits are 128 bits."""

_VERSION = b"\x01"
_KEY_ID = 8
_NONCE = 12  # bytes; NIST SP 800-38D, 8.2: random nonces of 96 bits, for at most 2**32 messages per key
_HEAD = len(_VERSION) + _KEY_ID


class SealError(ValueError):
    """Sealed bytes cannot be decrypted: they have another key or context, or are damaged."""


class Vault:
    """Seals (compresses and encrypts) bytes, and opens them again. Safe to share between threads.

    key: one secret, or several separated by commas, of at least SHORTEST_KEY characters each. The first one encrypts,
    all of them decrypt: to replace a key, put the new one in front and reseal (`bot.storage.reseal`).
    Sealed bytes are: version (1 byte), key id (8), nonce (12), ciphertext with its tag. Raises UserError for a key that
    is too short.
    """

    def __init__(self, key: str) -> None:
        names = [name.strip() for name in key.split(",") if name.strip()]
        if not names or any(len(name) < SHORTEST_KEY for name in names):
            raise UserError(
                f"The secret key is too short: it needs at least {SHORTEST_KEY} random characters.",
                next_step="Make one with `openssl rand -hex 32` and set it as TOWPATH_SECRET_KEY.",
            )
        self._keys = {_derive(name, b"id", _KEY_ID): AESGCM(_derive(name, b"seal", 32)) for name in names}
        self._first = next(iter(self._keys))

    @property
    def key_id(self) -> str:
        """The id, in hex, of the key that encrypts. It reveals nothing about the key."""
        return self._first.hex()

    def seal(self, data: bytes, context: str) -> bytes:
        """Compress and encrypt. context: where the bytes belong (`plans/<id>`), needed again to open them."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._keys[self._first].encrypt(nonce, zstandard.compress(data), context.encode())
        return _VERSION + self._first + nonce + sealed

    def open(self, sealed: bytes, context: str) -> bytes:
        """Decrypt and decompress. Raises SealError for another key or context, or damaged bytes."""
        if sealed[:1] != _VERSION or len(sealed) <= _HEAD + _NONCE:
            raise SealError(f"{context}: these bytes were not sealed by Towpath")
        cipher = self._keys.get(sealed[1:_HEAD])
        if cipher is None:
            raise SealError(
                f"{context}: sealed with key {sealed[1:_HEAD].hex()}, which is not among the configured keys"
            )
        nonce = sealed[_HEAD : _HEAD + _NONCE]
        try:
            return zstandard.decompress(cipher.decrypt(nonce, sealed[_HEAD + _NONCE :], context.encode()))
        except InvalidTag:
            raise SealError(f"{context}: the sealed bytes are damaged, or belong to another row") from None

    def is_current(self, sealed: bytes) -> bool:
        """Whether these bytes were sealed with the first key."""
        return sealed[1:_HEAD] == self._first


def subkeys(key: str, purpose: str) -> str:
    """Return, for each of the keys, one for another Vault, which reveals nothing about it. purpose: what that Vault seals."""
    names = [name.strip() for name in key.split(",") if name.strip()]
    return ",".join(_derive(name, f"for {purpose}".encode(), 32).hex() for name in names)


def _derive(name: str, purpose: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=b"towpath at rest " + purpose).derive(name.encode())
