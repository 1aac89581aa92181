"""Sign and verify GitHub webhooks (X-Hub-Signature-256)."""

from __future__ import annotations

import hashlib
import hmac
import re

_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")


def sign(secret: str, body: bytes) -> str:
    """Return the X-Hub-Signature-256 header for `body`: `sha256=` and 64 hexadecimal digits."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def may_be_signed(secret: str, signature: str | None) -> bool:
    """Return whether `signature` could be valid for some body, to refuse a large body before it is read."""
    return bool(secret and signature and _SIGNATURE.fullmatch(signature))


def verify(secret: str, body: bytes, signature: str | None) -> bool:
    """Return whether `signature` (X-Hub-Signature-256) is valid for the raw body. Never raises, takes constant time.

    An empty secret rejects everything, so that a forgotten setting cannot disable the verification.
    """
    if not secret or not signature:
        return False
    return hmac.compare_digest(sign(secret, body).encode(), signature.encode("utf-8", "replace"))
