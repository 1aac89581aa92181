"""Slack's request signature by its description, and not by the SDK that the bot checks with."""

from __future__ import annotations

import hashlib
import hmac


def sign(signing_secret: str, body: bytes, timestamp: str) -> str:
    """The value of X-Slack-Signature, version 0, for `body` sent at `timestamp`."""
    digest = hmac.new(signing_secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256)
    return f"v0={digest.hexdigest()}"
