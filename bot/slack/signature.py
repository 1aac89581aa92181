"""Whether a request is from Slack: slack_sdk's check, guarded against headers on which it raises."""

from __future__ import annotations

import re
from datetime import datetime

from slack_sdk.signature import Clock, SignatureVerifier

_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


class _At(Clock):
    """A clock that stands at one time."""

    def __init__(self, now: datetime) -> None:
        self._now = now.timestamp()

    def now(self) -> float:
        return self._now


def verify(
    signing_secret: str, body: bytes, timestamp_header: str, signature_header: str, now: datetime
) -> bool:
    """Return whether `signature_header` is Slack's for `body` at `timestamp_header` (Unix seconds), at most five
    minutes from `now` (aware).

    An empty secret matches nothing. Never raises: the SDK does for a time that is no number, for a signature beyond
    ASCII and for a body that is not UTF-8, none of which Slack sends.
    """
    if not signing_secret.strip() or not signature_header.isascii():
        return False
    if not _SECONDS.fullmatch(timestamp_header):
        return False
    try:
        verifier = SignatureVerifier(signing_secret, _At(now))
        return verifier.is_valid(body, timestamp_header, signature_header)
    except UnicodeDecodeError:
        return False
