"""Read and write states in a bucket (S3, R2, MinIO), in the layout of Terraform's s3 backend."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.errors import TransientError, UserError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


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
        with _translated_errors(bucket.name):
            try:
                found = client.get_object(Bucket=bucket.name, Key=key)
                return found["Body"].read(), found["ETag"]
            except client.exceptions.NoSuchKey:
                return None

    def keys(self, bucket: Bucket, prefix: str) -> list[str]:
        """Return the keys of all objects that begin with `prefix`."""
        pages = self._client(bucket).get_paginator("list_objects_v2")
        with _translated_errors(bucket.name):
            return [
                one["Key"]
                for page in pages.paginate(Bucket=bucket.name, Prefix=prefix)
                for one in page.get("Contents", [])
            ]

    def put(self, bucket: Bucket, key: str, data: bytes, *, instead_of: str | None) -> bool:
        """Write an object if the present one has the ETag `instead_of` (None: if there is none), else return False."""
        condition: dict[str, Any] = {"IfMatch": instead_of} if instead_of else {"IfNoneMatch": "*"}
        with _translated_errors(bucket.name):
            return _condition_held(
                lambda: self._client(bucket).put_object(
                    Bucket=bucket.name, Key=key, Body=data, ContentType="application/json", **condition
                )
            )

    def delete(self, bucket: Bucket, key: str, etag: str) -> bool:
        """Delete an object if it still has that ETag, else return False."""
        with _translated_errors(bucket.name):
            return _condition_held(
                lambda: self._client(bucket).delete_object(Bucket=bucket.name, Key=key, IfMatch=etag)
            )

    def _client(self, bucket: Bucket) -> S3Client:
        import boto3
        from botocore.config import Config

        endpoint, region = bucket.endpoint, bucket.region
        with self._guard:
            if (endpoint, region) not in self._clients:
                config = Config(
                    connect_timeout=5,
                    read_timeout=60,
                    retries={"mode": "standard", "total_max_attempts": 4},
                    request_checksum_calculation="when_required",  # R2 and MinIO do not know the newer checksums
                    response_checksum_validation="when_required",
                    s3={"addressing_style": "path"} if endpoint else {},
                )
                self._clients[endpoint, region] = boto3.session.Session().client(
                    "s3",
                    endpoint_url=endpoint or None,
                    region_name=region or None,
                    aws_access_key_id=self._keys.access_key_id or None,
                    aws_secret_access_key=self._keys.secret_access_key or None,
                    config=config,
                )
            return self._clients[endpoint, region]


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


@contextmanager
def _translated_errors(bucket: str) -> Iterator[None]:
    """Translate boto3's errors to UserError and TransientError."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    advice = "Check `bucket` and `endpoint` in `envs/environments.toml`, and the bot's access key."
    try:
        yield
    except NoCredentialsError:
        raise UserError(f"The bot has no access key for the bucket `{bucket}`.", next_step=advice) from None
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = error.response.get("Error", {}).get("Code", "")
        if status >= 500 or status == 429:
            raise TransientError(f"the bucket {bucket} returned {status} {code}") from error
        raise UserError(f"Cannot access the bucket `{bucket}`: {code}.", next_step=advice) from error
    except BotoCoreError as error:
        raise TransientError(f"the bucket {bucket} does not answer: {type(error).__name__}") from error
