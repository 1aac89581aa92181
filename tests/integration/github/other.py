"""A GitHub that is not the playground's: REST below /api/v3 and nothing else, cursors instead of page numbers, bodies in
chunks, a repository that was renamed, times with `Z`, fields that nobody knows yet."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

PER_PAGE = 2
ID = 7_700_000_001
"""Above what 32 bits hold."""
SHA = "ab" * 20


class Other:
    """`comments` are (login, body), oldest first; `sent` are (method, path, body) of what was carried out."""

    def __init__(self) -> None:
        self.comments: list[tuple[str, str]] = []
        self.pulls: list[int] = []
        self.sent: list[tuple[str, str, Any]] = []
        other = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                """Quiet."""

            def do_GET(self) -> None:
                other.answer(self, None)

            def do_POST(self) -> None:
                other.answer(self, json.loads(self.rfile.read(int(self.headers["content-length"]))))

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/api/v3"

    def answer(self, handler: BaseHTTPRequestHandler, body: Any) -> None:
        asked = urlsplit(handler.path)
        path = asked.path.removeprefix("/api/v3")
        status, data, headers = self.found(handler.command, path, asked.query, body)
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Type", "application/json; charset=utf-8")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        text = json.dumps(data).encode()
        for part in filter(None, (text[:7], text[7:])):
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        handler.wfile.write(b"0\r\n\r\n")

    def found(self, method: str, path: str, query: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        if path == "/user":
            return 200, user("towpath-machine"), {}
        if moved := re.fullmatch(r"/repos/acme/old(/.*)?", path):
            at = f"{self.url}/repositories/{ID}{moved[1] or ''}" + (f"?{query}" if query else "")
            # GitHub: 301 for what reads, 307 for what has to be sent again as it is
            return (301 if method == "GET" else 307), {"message": "Moved Permanently"}, {"Location": at}
        path = re.sub(rf"^/repositories/{ID}", "/repos/acme/infra", path)
        if (method, path) == ("POST", "/repos/acme/infra/issues/1/comments"):
            self.sent.append((method, path, body))
            self.comments.append(("towpath-machine", body["body"]))
            return 201, comment(len(self.comments), *self.comments[-1]), {}
        if path == "/repos/acme/infra/issues/1/comments":
            return self.page(path, query, [comment(at, *one) for at, one in enumerate(self.comments)])
        if path == "/repos/acme/infra/pulls":
            return self.page(path, query, [pull(number) for number in self.pulls])
        if path == f"/repos/acme/infra/commits/{SHA}":
            return 200, {"sha": SHA, "author": user("Ann"), "committer": None, "files": []}, {}
        return 404, {"message": "Not Found", "status": "404"}, {}

    def page(self, path: str, query: str, items: list[Any]) -> tuple[int, Any, dict[str, str]]:
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        start = int(asked.get("after", "c0")[1:])
        end, headers = start + PER_PAGE, {}
        if end < len(items):
            onward = urlencode({**asked, "after": f"c{end}"})
            headers["Link"] = f'<{self.url}{path}?{onward}>; rel="next"'
        return 200, items[start:end], headers


def user(login: str) -> dict[str, Any]:
    return {"login": login, "id": ID, "type": "User", "to_come": {"deep": [None]}}


def comment(at: int, login: str, body: str) -> dict[str, Any]:
    made = {"id": ID + at, "node_id": f"IC_{at}", "html_url": "https://ghe.example.com/c", "body": body}
    return {**made, "user": user(login), "created_at": "2030-01-02T03:04:05Z", "to_come": None}


def pull(number: int) -> dict[str, Any]:
    """Without what GitHub may leave out: draft, merged_at; the fork is gone."""
    repo = {
        "id": ID,
        "full_name": "Acme/Infra",
        "default_branch": "main",
        "clone_url": "https://ghe.example.com/Acme/Infra.git",
    }
    side = {"ref": "main", "sha": SHA, "repo": {**repo, "html_url": "https://ghe.example.com/Acme/Infra"}}
    made = {
        "id": ID,
        "number": number,
        "title": "t",
        "state": "open",
        "html_url": "https://ghe.example.com/p",
    }
    return {**made, "user": None, "head": {**side, "repo": None}, "base": side, "to_come": 1}


@contextmanager
def serving() -> Iterator[Other]:
    other = Other()
    thread = threading.Thread(target=other.server.serve_forever)
    thread.start()
    yield other
    other.server.shutdown()
    thread.join()
    other.server.server_close()
