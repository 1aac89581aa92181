"""Read and write states in a bucket (S3, R2, MinIO), in the layout of Terraform's s3 backend."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.s3 import connect_s3, translated_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ADVICE = "Check `bucket` and `endpoint` in `envs/environments.toml`, and the bot's access key."


@dataclass(frozen=True)
class Keys:
    """An access key for the state buckets. If both are empty, boto3 finds credentials itself (an instance role)."""

    access_key_id: str = ""
    secret_access_key: str = field(default="", repr=False)

    def __bool__(self) -> bool:
        return bool(self.access_key_id)


@dataclass(frozen=True)
class Bucket:
    """A bucket and where it is. endpoint: "" for AWS."""

    name: str
    endpoint: str
    region: str


def object_key(key: str, workspace: str = "") -> str:
    """Return where Terraform stores a workspace's state: `env:/<workspace>/<key>`, or `key` for the default one."""
    return f"env:/{workspace}/{key}" if workspace not in ("", "default") else key


class Buckets:
    """Reads and writes objects; safe to share between threads. It keeps one client per endpoint and region.

    Every method raises UserError if the bucket does not exist or denies access, and TransientError if it does not
    answer.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._clients: dict[tuple[str, str], S3Client] = {}
        self._guard = threading.Lock()

    def get(self, bucket: Bucket, key: str) -> tuple[bytes, str] | None:
        """Return an object's bytes and its ETag, or None if there is none."""
        client = self._client(bucket)
        with translated_errors(bucket.name, _ADVICE):
            try:
                found = client.get_object(Bucket=bucket.name, Key=key)
                return found["Body"].read(), found["ETag"]
            except client.exceptions.NoSuchKey:
                return None

    def keys(self, bucket: Bucket, prefix: str) -> list[str]:
        """Return the keys of all objects that begin with `prefix`."""
        pages = self._client(bucket).get_paginator("list_objects_v2")
        with translated_errors(bucket.name, _ADVICE):
            return [
                one["Key"]
                for page in pages.paginate(Bucket=bucket.name, Prefix=prefix)
                for one in page.get("Contents", [])
            ]

    def put(self, bucket: Bucket, key: str, data: bytes, *, instead_of: str | None) -> bool:
        """Write an object if the present one has the ETag `instead_of` (None: if there is none), else return False."""
        condition: dict[str, Any] = {"IfMatch": instead_of} if instead_of else {"IfNoneMatch": "*"}
        with translated_errors(bucket.name, _ADVICE):
            return _condition_held(
                lambda: self._client(bucket).put_object(
                    Bucket=bucket.name, Key=key, Body=data, ContentType="application/json", **condition
                )
            )

    def delete(self, bucket: Bucket, key: str, etag: str) -> bool:
        """Delete an object if it still has that ETag, else return False."""
        with translated_errors(bucket.name, _ADVICE):
            return _condition_held(
                lambda: self._client(bucket).delete_object(Bucket=bucket.name, Key=key, IfMatch=etag)
            )

    def _client(self, bucket: Bucket) -> S3Client:
        place = bucket.endpoint, bucket.region
        with self._guard:
            if place not in self._clients:
                keys = self._keys
                self._clients[place] = connect_s3(*place, keys.access_key_id, keys.secret_access_key)
            return self._clients[place]


def _condition_held(request: Callable[[], object]) -> bool:
    """Make a conditional request; return False if its ETag does not match (412) or another write interfered (409)."""
    from botocore.exceptions import ClientError

    try:
        request()
    except ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in (409, 412):
            return False
        raise
    return True
