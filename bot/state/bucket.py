"""States in a bucket (S3, R2, MinIO), as Terraform's s3 backend lays them out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.domain.state import LockInfo
from bot.errors import TransientError, UserError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Keys:
    """An access key for the state buckets; both empty: whatever boto3 finds by itself (an instance's role)."""

    access_key_id: str = ""
    secret_access_key: str = field(default="", repr=False)

    def __bool__(self) -> bool:
        return bool(self.access_key_id)


def object_key(key: str, workspace: str = "") -> str:
    """Where Terraform keeps a workspace's state: `env:/<workspace>/<key>`, the default workspace's at `key`."""
    return f"env:/{workspace}/{key}" if workspace not in ("", "default") else key


class Buckets:
    """Reads states and state locks. One client an endpoint and region, made at first use; safe for threads."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._clients: dict[tuple[str, str], S3Client] = {}
        self._making = threading.Lock()

    def state(
        self, bucket: str, key: str, workspace: str = "", *, endpoint: str, region: str
    ) -> bytes | None:
        """The current state; None where there is none. Raises UserError where the bucket is not there or is
        closed to the bot, TransientError where it does not answer."""
        return self._get(bucket, object_key(key, workspace), endpoint, region)

    def holder(
        self, bucket: str, key: str, workspace: str = "", *, endpoint: str, region: str
    ) -> LockInfo | None:
        """Who holds the state's lock (Terraform's `<key>.tflock`); None where nobody does. Raises as `state`."""
        data = self._get(bucket, object_key(key, workspace) + ".tflock", endpoint, region)
        return LockInfo.parse(data) if data else None

    def locks(self, bucket: str, *, endpoint: str, region: str) -> dict[str, LockInfo]:
        """All state locks of a bucket: the state's object key → its holder. Raises as `state`."""
        client = self._client(endpoint, region)
        with _told(bucket):
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
            found = [item["Key"] for page in pages for item in page.get("Contents", [])]
        names = [name for name in found if name.endswith(".tflock")]
        held = {name: self._get(bucket, name, endpoint, region) for name in names}
        return {name.removesuffix(".tflock"): LockInfo.parse(data) for name, data in held.items() if data}

    def get(self, bucket: str, name: str, *, endpoint: str, region: str) -> tuple[bytes, str] | None:
        """An object's bytes and its ETag; None where there is none. Raises as `state`."""
        client = self._client(endpoint, region)
        with _told(bucket):
            try:
                found = client.get_object(Bucket=bucket, Key=name)
                return found["Body"].read(), found["ETag"]
            except client.exceptions.NoSuchKey:
                return None

    def put(
        self, bucket: str, name: str, data: bytes, *, instead_of: str | None, endpoint: str, region: str
    ) -> bool:
        """Write an object where the present one has the ETag `instead_of` (None: where there is none); False where
        that is not so any more. Raises as `state`."""
        condition: dict[str, Any] = {"IfMatch": instead_of} if instead_of else {"IfNoneMatch": "*"}
        with _told(bucket):
            return _unless_changed(
                lambda: self._client(endpoint, region).put_object(
                    Bucket=bucket, Key=name, Body=data, ContentType="application/json", **condition
                )
            )

    def delete(self, bucket: str, name: str, etag: str, *, endpoint: str, region: str) -> bool:
        """Delete an object where it has still that ETag; False where another is there. Raises as `state`."""
        with _told(bucket):
            return _unless_changed(
                lambda: self._client(endpoint, region).delete_object(Bucket=bucket, Key=name, IfMatch=etag)
            )

    def _get(self, bucket: str, name: str, endpoint: str, region: str) -> bytes | None:
        found = self.get(bucket, name, endpoint=endpoint, region=region)
        return found[0] if found else None

    def _client(self, endpoint: str, region: str) -> S3Client:
        import boto3
        from botocore.config import Config

        with self._making:
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


def _unless_changed(act: Callable[[], object]) -> bool:
    """False where a condition on an object's ETag does not hold (412), or another write came in between (409)."""
    from botocore.exceptions import ClientError

    try:
        act()
    except ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in (409, 412):
            return False
        raise
    return True


@contextmanager
def _told(bucket: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    advice = "Check `bucket` and `endpoint` in `envs/environments.toml` and the bot's access key."
    try:
        yield
    except NoCredentialsError:
        raise UserError(f"The bot has no access key for the bucket `{bucket}`.", next_step=advice) from None
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = error.response.get("Error", {}).get("Code", "")
        if status >= 500 or status == 429:
            raise TransientError(f"the bucket {bucket} answers {status} {code}") from error
        raise UserError(
            f"The bucket `{bucket}` does not give its states: {code}.", next_step=advice
        ) from error
    except BotoCoreError as error:
        raise TransientError(f"the bucket {bucket} does not answer: {type(error).__name__}") from error
