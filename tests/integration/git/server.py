"""A git server over HTTP on loopback: git's own http-backend behind Python's server, with faults to order."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit


class GitServer:
    """Serves the bare repositories under `root`.

    credentials: what every request must carry. status: answer this instead of serving (0: serve). stall: leave
    requests for packs unanswered while it is cleared. requests: "METHOD path" of all that came.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.credentials: tuple[str, str] | None = None
        self.status = 0
        self.stall = threading.Event()
        self.stall.set()
        self.stalled = threading.Event()
        self.requests: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server._serve(self)

            def do_POST(self) -> None:
                server._serve(self)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator[GitServer]:
        thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self.stall.set()
            self._http.shutdown()
            thread.join()
            self._http.server_close()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        address = urlsplit(handler.path)
        self.requests.append(f"{handler.command} {address.path}")
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        if handler.headers.get("Transfer-Encoding") == "chunked":
            raise AssertionError("the tests send small requests only")
        if self.status:
            return self._answer(handler, self.status)
        if self.credentials and handler.headers.get("Authorization") != self._expected():
            return self._answer(handler, 401)
        if handler.command == "POST" and not self.stall.is_set():
            self.stalled.set()
            self.stall.wait(30)
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": handler.command,
            "PATH_INFO": address.path,
            "QUERY_STRING": address.query,
            "CONTENT_TYPE": handler.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "GIT_PROTOCOL": handler.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": handler.headers.get("Content-Encoding", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(
            ["git", "http-backend"], input=body, stdout=subprocess.PIPE, env=environment, check=False
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
        status = int(fields.pop("Status", "200").split()[0])
        return self._answer(handler, status, fields, content)

    def _expected(self) -> str:
        assert self.credentials
        return "Basic " + base64.b64encode(":".join(self.credentials).encode()).decode()

    def _answer(
        self,
        handler: BaseHTTPRequestHandler,
        status: int,
        fields: dict[str, str] | None = None,
        content: bytes = b"",
    ) -> None:
        try:
            handler.send_response(status)
            if status == 401:
                handler.send_header("WWW-Authenticate", 'Basic realm="git"')
            for name, value in (fields or {}).items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client was killed
