"""Signatures with the secret key, for what passes through GitHub."""

from __future__ import annotations

import hashlib
import hmac


def mac(key: str, purpose: str, text: str) -> str:
    """Return the HMAC-SHA256 of a text (64 hex digits). purpose: gives each use a key of its own, since the secret key
    also encrypts."""
    own = hmac.digest(key.encode(), purpose.encode(), hashlib.sha256)
    return hmac.digest(own, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()
