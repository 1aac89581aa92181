"""R2 to test against: a real bucket if one is given, and a stand-in that refuses what R2 does not have.

The stand-in is an S3 server behind a door. Its rules are those of Cloudflare's page on R2's S3 compatibility (November
2026): the region is `auto`, and only an empty one and `us-east-1` mean the same; there is no bucket versioning, no ACL,
tagging, object lock and key of a KMS; PutObject takes conditions. Conditions of DeleteObject are not on that page, so
the door takes them away: nothing may depend on them. It also refuses trailing checksums, which R2 did not know for years.
"""

from __future__ import annotations

import os
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import httpx

from bot.playground.loopback import no_authorities
from bot.state.bucket import Bucket, Buckets, Keys

VARIABLES = tuple(
    f"TOWPATH_TEST_R2_{name}" for name in ("ENDPOINT_URL", "BUCKET", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY")
)
"""Where the tests find a real bucket. Its objects below `towpath-contract/` are theirs."""
REGIONS = ("auto", "us-east-1", "")
MISSING_QUERIES = (
    "versioning",
    "versionId",
    "versions",
    "acl",
    "tagging",
    "object-lock",
    "retention",
    "legal-hold",
)
MISSING_HEADERS = (
    "x-amz-acl",
    "x-amz-grant-",
    "x-amz-tagging",
    "x-amz-object-lock-",
    "x-amz-server-side-encryption-aws-kms-",
    "x-amz-trailer",
)
HOPS = (
    "connection",
    "content-length",
    "transfer-encoding",
    "content-encoding",
    "server",
    "date",
    "x-amz-version-id",
)


@dataclass
class R2:
    """A bucket on R2. prefix: of all keys that a test may use. refused: what the stand-in refused, as R2 would."""

    endpoint: str
    name: str
    keys: Keys
    prefix: str = ""
    refused: list[str] = field(default_factory=list)

    @contextmanager
    def begun(self) -> Iterator[R2]:
        """Itself, with a new prefix; what a test leaves below it is deleted."""
        self.prefix = f"towpath-contract/{uuid.uuid4().hex}"
        self.refused.clear()
        try:
            yield self
        finally:
            for key in self._keys():
                self._client.delete_object(Bucket=self.name, Key=key)

    @property
    def bucket(self) -> Bucket:
        return Bucket(self.name, self.endpoint, "auto")

    @cached_property
    def buckets(self) -> Buckets:
        return Buckets(self.keys)

    def names(self) -> list[str]:
        """The keys of the test, without the prefix."""
        return [key.replace(f"{self.prefix}/", "") for key in self._keys()]

    def _keys(self) -> list[str]:
        """Those below the prefix, and those of workspaces, which begin with `env:/`."""
        found: list[str] = []
        for prefix in (f"{self.prefix}/", "env:/"):
            listed = self._client.list_objects_v2(Bucket=self.name, Prefix=prefix)
            found += [one["Key"] for one in listed.get("Contents", []) if self.prefix in one["Key"]]
        return sorted(found)

    @cached_property
    def _client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="auto",
            aws_access_key_id=self.keys.access_key_id,
            aws_secret_access_key=self.keys.secret_access_key,
        )


def real() -> R2 | None:
    """The bucket that the environment names; None where it names none."""
    endpoint, bucket, key, secret = (os.environ.get(name, "") for name in VARIABLES)
    return R2(endpoint, bucket, Keys(key, secret)) if endpoint and bucket and key and secret else None


@contextmanager
def stand_in(behind: str) -> Iterator[R2]:
    """behind: the address of an S3 server with the bucket `states-r2`."""
    found = R2("", "states-r2", Keys("k", "s"))
    with (
        httpx.Client(timeout=30, verify=no_authorities()) as client,
        ThreadingHTTPServer(("127.0.0.1", 0), _door(found, behind, client)) as door,
    ):
        found.endpoint = f"http://127.0.0.1:{door.server_address[1]}"
        thread = threading.Thread(target=door.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield found
        finally:
            door.shutdown()
            thread.join()


def _door(r2: R2, behind: str, client: httpx.Client) -> type[BaseHTTPRequestHandler]:
    turn = (
        threading.Lock()
    )  # R2 decides conditions one after the other; the server behind does not promise that

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # otherwise each upload waits a second for `100 Continue`

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if refusal := self._refusal():
                r2.refused.append(f"{self.command} {self.path}: {refusal[1]}")
                status, code = refusal
                self._answer(status, {}, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            if self.command == "DELETE":
                headers = {name: value for name, value in headers.items() if name.lower() != "if-match"}
            with turn:
                answer = client.request(self.command, behind + self.path, headers=headers, content=body)
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOPS}
            length = answer.headers.get("content-length", "0") if self.command == "HEAD" else None
            self._answer(answer.status_code, kept, answer.content, length)

        def _refusal(self) -> tuple[int, str] | None:
            scope = re.search(r"Credential=[^/]+/\d+/([^/]*)/", self.headers.get("Authorization", ""))
            if scope is None or scope[1] not in REGIONS:
                return 400, "InvalidRegionName"
            query = [part.partition("=")[0] for part in self.path.partition("?")[2].split("&")]
            asked = [name.lower() for name in self.headers]
            if set(query) & set(MISSING_QUERIES) or any(name.startswith(MISSING_HEADERS) for name in asked):
                return 501, "NotImplemented"
            return None

        def _answer(
            self, status: int, headers: dict[str, str], body: bytes, length: str | None = None
        ) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", length or str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass  # noqa: N815  (http.server's names)

        def log_message(self, *_: object) -> None:
            pass

    return Door
