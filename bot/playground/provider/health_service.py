"""What runs on the servers of the clouds: an HTTP health endpoint for smoke checks, and a page for people."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bot.playground.provider.cloud import Cloud


class HealthService:
    """Serves `/<cloud's name>[/<instance>]` and the same with `/healthz` on loopback. Call `start` before use and `stop`
    after.

    `healthz` answers 200 if the cloud has a server and is healthy (see `Cloud.set_unhealthy`), else 503 with the reason; 404
    for any other path, and for the page of an environment or instance without servers. clouds: name to cloud. Clouds added later are served too.
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
        """Answer a health check, or show the page of an environment or of one of its instances."""
        name, _, rest = self.path.strip("/").partition("/")
        instance, _, path = rest.rpartition("/") if rest.endswith("healthz") else (rest, "", "")
        cloud = self.served.get(name)
        servers = _servers(cloud, name, instance) if cloud else []
        if cloud is None or path not in ("", "healthz") or (path == "" and not servers):
            self._answer(404, {"error": "not found"})
        elif path == "healthz":
            problem = cloud.health_problem()
            status, text = (503, "unhealthy") if problem else (200, "ok")
            self._answer(status, {"status": text, **({"reason": problem} if problem else {})})
        else:
            self._show(f"{name} {instance}".strip(), servers)

    def _show(self, title: str, servers: Sequence[str]) -> None:
        """Show what somebody who tests by hand would see: the environment's name, and its servers."""
        items = "".join(f"<li>{escape(one)}</li>" for one in servers)
        content = (
            f"<!doctype html><title>{escape(title)}</title><h1>{escape(title)}</h1><ul>{items}</ul>".encode()
        )
        self._send(200, "text/html; charset=utf-8", content)

    def _answer(self, status: int, body: Mapping[str, str]) -> None:
        self._send(status, "application/json", json.dumps(body).encode())

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *_arguments: object) -> None:  # noqa: A002 - the library's name
        """Do not log requests."""


def _servers(cloud: Cloud, name: str, instance: str) -> list[str]:
    """Return the names of an instance's servers, or of all."""
    names = [str(server["name"]) for server in cloud.things("server").values()]
    return sorted(one for one in names if not instance or one.startswith(f"{name}-{instance}-"))
