"""A bucket, and before the S3 server that has it a door that can refuse the upload of states."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import httpx

from bot.playground.loopback import no_authorities

HOPS = ("connection", "content-length", "transfer-encoding", "content-encoding", "server", "date")


@dataclass
class Bucket:
    """An S3 with the one bucket `name`. `closed`: uploads of states are refused, as by a policy that was changed meanwhile."""

    address: str
    behind: str
    closed: threading.Event = field(default_factory=threading.Event)
    name: str = ""
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def begin(self) -> None:
        """Open, empty, and with a new name: stories in one world may not keep their states at one place."""
        self.closed.clear()
        self.name = f"states-{next(self._numbers)}"
        self.client.create_bucket(Bucket=self.name)

    @property
    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.behind,
            region_name="us-east-1",
            aws_access_key_id="k",
            aws_secret_access_key="s",
        )

    def get(self, key: str) -> bytes:
        return bytes(self.client.get_object(Bucket=self.name, Key=key)["Body"].read())

    def put(self, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=data)

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket=self.name, Key=key)

    def names(self) -> list[str]:
        return sorted(one["Key"] for one in self.client.list_objects_v2(Bucket=self.name).get("Contents", []))

    def settings(self) -> dict[str, str]:
        """The bot's, to reach it."""
        return {
            "TOWPATH_S3_ENDPOINT_URL": self.address,
            "TOWPATH_S3_ACCESS_KEY_ID": "k",
            "TOWPATH_S3_SECRET_ACCESS_KEY": "s",
            "TOWPATH_S3_REGION": "us-east-1",
        }


@contextmanager
def opened(behind: str) -> Iterator[Bucket]:
    """behind: the S3 server's address."""
    found = Bucket("", behind)
    with (
        httpx.Client(timeout=30, verify=no_authorities()) as client,
        ThreadingHTTPServer(("127.0.0.1", 0), _door(found, client)) as door,
    ):
        found.address = f"http://127.0.0.1:{door.server_address[1]}"
        thread = threading.Thread(target=door.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield found
        finally:
            door.shutdown()
            thread.join()


def _door(bucket: Bucket, client: httpx.Client) -> type[BaseHTTPRequestHandler]:
    class Door(BaseHTTPRequestHandler):
        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if (
                self.command == "PUT"
                and bucket.closed.is_set()
                and self.path.split("?")[0].endswith(".tfstate")
            ):
                self._answer(403, {}, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            answer = client.request(self.command, bucket.behind + self.path, headers=headers, content=body)
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOPS}
            length = answer.headers.get("content-length", "0") if self.command == "HEAD" else None
            self._answer(answer.status_code, kept, answer.content, length)

        def _answer(
            self, status: int, headers: dict[str, str], body: bytes, length: str | None = None
        ) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", length or str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass  # noqa: N815  (http.server's names)

        def log_message(self, *_: object) -> None:
            pass

    return Door
