"""Share one connection pool between all threads and tokens."""

from __future__ import annotations

import httpx


class KeepAlive(httpx.BaseTransport):
    """Sends every request through one long-lived client, so that connections are reused.

    githubkit opens and closes its own client for every request, and a TLS handshake would cost more than the request
    itself. A full client rather than a bare transport also honours the proxy settings in the environment.
    """

    def __init__(self, timeout: float) -> None:
        self._client = httpx.Client(timeout=timeout, follow_redirects=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._client.send(request)

    def close(self) -> None:
        """Do nothing: githubkit calls this after each request, and the pool stays open until `disconnect`."""

    def disconnect(self) -> None:
        """Close the connections."""
        self._client.close()
