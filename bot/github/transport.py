"""One connection pool for all threads and tokens."""

from __future__ import annotations

import httpx


class KeepAlive(httpx.BaseTransport):
    """Sends through one lasting client, so that connections are used again.

    githubkit opens and closes a client of its own for every request; a TLS handshake each would cost more than the
    request. Going through a whole client, not a bare transport, keeps the environment's proxy settings at work.
    """

    def __init__(self, timeout: float) -> None:
        self._client = httpx.Client(timeout=timeout, follow_redirects=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._client.send(request)

    def close(self) -> None:
        """Called by githubkit after each request: the pool stays open until `disconnect`."""

    def disconnect(self) -> None:
        self._client.close()
