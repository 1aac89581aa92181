"""HTTP clients that stay on this machine."""

from __future__ import annotations

import ssl


def no_authorities() -> ssl.SSLContext:
    """For httpx's `verify`: a context that trusts nobody. To load all authorities takes longer than a request here."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
