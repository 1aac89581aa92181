"""What runs on the servers of the clouds: an HTTP health endpoint for smoke checks."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bot.playground.provider.cloud import Cloud


class HealthService:
    """Serves `/<cloud's name>/healthz` on loopback. Call `start` before use and `stop` after.

    Answers 200 if the cloud has a server and is healthy (see `Cloud.set_unhealthy`), else 503 with the reason; 404 for
    any other path. clouds: name to cloud. Clouds added later are served too.
    """

    def __init__(self, clouds: Mapping[str, Cloud]) -> None:
        class Handler(_Handler):
            served = clouds

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="service", daemon=True
        )

    def address(self, cloud: str) -> str:
        """Return the URL of a cloud's service. The port is bound as soon as this object exists."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/{cloud}"

    def start(self) -> HealthService:
        """Start answering."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop the server, even if it was never started."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    served: Mapping[str, Cloud]

    def do_GET(self) -> None:
        """Answer a health check."""
        name, _, path = self.path.strip("/").partition("/")
        cloud = self.served.get(name)
        if cloud is None or path != "healthz":
            self._answer(404, {"error": "not found"})
        elif problem := cloud.health_problem():
            self._answer(503, {"status": "unhealthy", "reason": problem})
        else:
            self._answer(200, {"status": "ok"})

    def _answer(self, status: int, body: Mapping[str, str]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *_arguments: object) -> None:  # noqa: A002 - the library's name
        """Do not log requests."""
