"""The signature of GitHub's webhooks."""

from __future__ import annotations

import hashlib
import hmac


def sign(secret: str, body: bytes) -> str:
    """The value of X-Hub-Signature-256 for `body`: `sha256=` and 64 hexadecimal digits."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def verify(secret: str, body: bytes, signature: str | None) -> bool:
    """Whether `signature` (X-Hub-Signature-256) is right for the raw body. Never raises, takes constant time.

    Without a secret nothing is right: an unsigned door must be opened on purpose, not by a forgotten setting.
    """
    if not secret or not signature:
        return False
    return hmac.compare_digest(sign(secret, body).encode(), signature.encode("utf-8", "replace"))
