"""Files in a bucket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from bot.errors import TransientError, UserError
from bot.exports.files.location import Location
from bot.s3 import connect_s3, translated_errors

_DELETED_AT_ONCE = 1000
"""Keys in one request, from S3's DeleteObjects; R2 has the same limit."""
_ADVICE = "Check TOWPATH_EXPORT_BUCKET, TOWPATH_S3_ENDPOINT_URL and the bot's access key."
_ATTEMPTS = 3
"""To read a body. boto3 repeats requests by itself, but not a body that breaks off."""


class BucketStore:
    """Files in a bucket of S3, R2 or MinIO."""

    def __init__(self, location: Location) -> None:
        self._bucket = location.bucket
        self._client = connect_s3(
            location.endpoint, location.region, location.access_key_id, location.secret_access_key
        )

    def put(self, key: str, data: bytes) -> None:
        with translated_errors(self._bucket, _ADVICE):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data)

    def get(self, key: str) -> bytes | None:
        attempts = Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_exponential(0.2),
            reraise=True,
        )
        return attempts(self._get, key)

    def _get(self, key: str) -> bytes | None:
        with translated_errors(self._bucket, _ADVICE):
            try:
                return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except self._client.exceptions.NoSuchKey:
                return None

    def keys(self, prefix: str) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2")
        with translated_errors(self._bucket, _ADVICE):
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
                yield from (one["Key"] for one in page.get("Contents", ()))

    def delete(self, keys: Iterable[str]) -> None:
        left = list(keys)
        with translated_errors(self._bucket, _ADVICE):
            for start in range(0, len(left), _DELETED_AT_ONCE):
                some = left[start : start + _DELETED_AT_ONCE]
                found = self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in some], "Quiet": True}
                )
                if errors := found.get("Errors"):
                    raise UserError(
                        f"The bucket `{self._bucket}` did not delete {len(errors)} files: {errors[0].get('Code', '')}.",
                        next_step=_ADVICE,
                    )
