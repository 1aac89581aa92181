"""Is a request really from Slack? Version 0 of Slack's request signature."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime

WINDOW = 300
"""Seconds by which a request's time may differ from ours (Slack's advice: five minutes)."""

_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


def verify(
    signing_secret: str, body: bytes, timestamp_header: str, signature_header: str, now: datetime
) -> bool:
    """Whether `signature_header` is Slack's for `body` at `timestamp_header` (Unix seconds), and that is recent.

    `now` is an aware datetime. An empty secret matches nothing. Never raises for what a stranger may send.
    """
    if not signing_secret or not _SECONDS.fullmatch(timestamp_header):
        return False
    if abs(now.timestamp() - int(timestamp_header)) > WINDOW:
        return False
    expected = sign(signing_secret, body, timestamp_header)
    return hmac.compare_digest(expected.encode(), signature_header.encode("utf-8", "replace"))


def sign(signing_secret: str, body: bytes, timestamp: str) -> str:
    """The value of X-Slack-Signature for `body` sent at `timestamp`."""
    digest = hmac.new(signing_secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256)
    return f"v0={digest.hexdigest()}"
