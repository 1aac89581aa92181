"""The two kinds of stores: both write a file whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

from bot.errors import UserError
from bot.s3 import connect_s3, translated_errors

if TYPE_CHECKING:
    from bot.exports.files.location import Location

_DELETED_AT_ONCE = 1000
"""Keys in one request, from S3's DeleteObjects; R2 has the same limit."""
_ADVICE = "Check TOWPATH_EXPORT_BUCKET, TOWPATH_S3_ENDPOINT_URL and the bot's access key."


class FileStore(Protocol):
    """Files by key. Safe to share between threads. Every method raises UserError if the store denies it or is full, and
    TransientError if it does not answer."""

    def put(self, key: str, data: bytes) -> None: ...

    def get(self, key: str) -> bytes | None:
        """Return a file's content, None if there is none."""
        ...

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin with `prefix`."""
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Delete files; those that are gone already do not matter."""
        ...


class BucketStore:
    """Files in a bucket."""

    def __init__(self, location: Location) -> None:
        self._bucket = location.bucket
        self._client = connect_s3(
            location.endpoint, location.region, location.access_key_id, location.secret_access_key
        )

    def put(self, key: str, data: bytes) -> None:
        with translated_errors(self._bucket, _ADVICE):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data)

    def get(self, key: str) -> bytes | None:
        with translated_errors(self._bucket, _ADVICE):
            try:
                return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except self._client.exceptions.NoSuchKey:
                return None

    def keys(self, prefix: str) -> Iterator[str]:
        with translated_errors(self._bucket, _ADVICE):
            for page in self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=prefix
            ):
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


class DirectoryStore:
    """Files below a directory, readable by the bot's user alone."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, key: str, data: bytes) -> None:
        path = self._path(key)
        part = path.with_name(f"{path.name}.{uuid4().hex[:8]}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise UserError(
                f"An export's file cannot be written below `{self._directory}`: {error.strerror}.",
                next_step="Free some space there, or set TOWPATH_EXPORT_BUCKET, and run the export again.",
            ) from error

    def get(self, key: str) -> bytes | None:
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return None

    def keys(self, prefix: str) -> Iterator[str]:
        top = self._path(prefix.rpartition("/")[0])
        for path in sorted(top.rglob("*")) if top.is_dir() else ():
            key = str(path.relative_to(self._directory))
            if path.is_file() and key.startswith(prefix):
                yield key

    def delete(self, keys: Iterable[str]) -> None:
        parents = set[Path]()
        for key in keys:
            self._path(key).unlink(missing_ok=True)
            parents.add(self._path(key).parent)
        for parent in sorted(parents, key=lambda one: -len(one.parts)):
            if parent.is_dir() and not any(path.is_file() for path in parent.rglob("*")):
                shutil.rmtree(parent, ignore_errors=True)

    def _path(self, key: str) -> Path:
        path = self._directory / key
        if ".." in path.parts:
            raise ValueError(f"not a key: {key!r}")
        return path
