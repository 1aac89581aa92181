"""What runs on the pretended servers: an HTTP service that a cloud's smoke checks can ask."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bot.playground.provider.cloud import Cloud


class Service:
    """Serves each cloud's `/<cloud's name>/healthz` on loopback. `start` before use, `stop` after it.

    200 where the cloud has a server and none of them is sick (`Cloud.sicken`); 503 with the reason otherwise; 404 for
    everything else. clouds: name → cloud; one that is added later is served, too.
    """

    def __init__(self, clouds: Mapping[str, Cloud]) -> None:
        class Handler(_Handler):
            served = clouds

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="service", daemon=True
        )

    def address(self, cloud: str) -> str:
        """Where a cloud's service answers: a port that is taken as soon as this object is there."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/{cloud}"

    def start(self) -> Service:
        self._thread.start()
        return self

    def stop(self) -> None:
        """End it; also where it was never started."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    served: Mapping[str, Cloud]

    def do_GET(self) -> None:
        name, _, path = self.path.strip("/").partition("/")
        cloud = self.served.get(name)
        if cloud is None or path != "healthz":
            self._answer(404, {"error": "there is nothing here"})
        elif trouble := cloud.trouble():
            self._answer(503, {"status": "sick", "why": trouble})
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
        """Nobody reads it."""
