"""Requests and responses of Terraform's http backend, independent of any web framework."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_STATE = 256 * 1024 * 1024
"""Bytes of the largest state that is accepted; Terraform itself has no limit."""
METHODS = ("GET", "POST", "DELETE", "LOCK", "UNLOCK")


@dataclass(frozen=True)
class Request:
    """One request for a target's state. headers: with lower-case names."""

    method: str
    target_key: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def credentials(self) -> tuple[str, str] | None:
        """User and password of HTTP basic authentication; None if missing or malformed."""
        scheme, _, encoded = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            decoded = base64.b64decode(encoded.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        username, colon, password = decoded.partition(":")
        return (username, password) if colon else None

    @property
    def oversized(self) -> bool:
        """Whether the body, or its announced length, is larger than MAX_STATE or not a number."""
        length = self.headers.get("content-length") or "0"
        return not length.isdecimal() or int(length) > MAX_STATE or len(self.body) > MAX_STATE

    @property
    def corrupt(self) -> bool:
        """Whether the body does not match its Content-MD5, if it has one."""
        expected = self.headers.get("content-md5", "")
        digest = hashlib.md5(self.body, usedforsecurity=False).digest()
        actual = base64.b64encode(digest)
        return bool(expected) and not hmac.compare_digest(expected.encode(), actual)


@dataclass(frozen=True)
class Response:
    """headers: those besides Content-Type."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


TOO_LARGE = Response(413, f"A state may have at most {MAX_STATE} bytes\n".encode())
UNAUTHORIZED = Response(
    401, b"Unauthorized\n", headers={"WWW-Authenticate": 'Basic realm="state", charset="UTF-8"'}
)
NOT_ALLOWED = Response(405, b"Method not allowed\n", headers={"Allow": ", ".join(METHODS)})
