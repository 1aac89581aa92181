"""The keyed digest that all masks are made of: BLAKE2b with a label, so that equal values with one label stay equal."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

Digest = Callable[[bytes], bytes]

SIZE = 32
"""Bytes of a digest. Masks take as many as they need."""
_LABEL = 16
"""Bytes of BLAKE2b's `person`, RFC 7693."""


def keyed_digest(key: bytes, label: str) -> Digest:
    """Return the digest function of a label. key: at most 64 bytes."""
    person = hashlib.blake2b(label.encode(), digest_size=_LABEL).digest()
    copy = hashlib.blake2b(
        key=key, person=person, digest_size=SIZE
    ).copy  # the key is hashed once, not for each value

    def digest(value: bytes) -> bytes:
        state = copy()
        state.update(value)
        return state.digest()

    return digest


def derive_key(masking_key: str) -> bytes:
    """Return the key that digests take, from a secret of any length."""
    return hashlib.blake2b(masking_key.encode(), digest_size=64, person=b"towpath masking").digest()


def key_id(masking_key: str) -> str:
    """Return what a manifest calls the key. It reveals nothing about it."""
    return keyed_digest(derive_key(masking_key), "key id")(b"").hex()[:16]
