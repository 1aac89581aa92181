"""What the steps of an export read and write: parts of tables, the schema and the manifest, all sealed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from bot.domain.exports import Manifest, Part, TableName
from bot.errors import UserError
from bot.exports.files.bucket import BucketStore
from bot.exports.files.directory import DirectoryStore
from bot.exports.files.location import Location
from bot.exports.files.stores import FileStore
from bot.vault import SealError, Vault

TOP = "exports"
MANIFEST = "manifest.json"
SCHEMA = "schema.dump"
_LONGEST_NAME = 200
"""Characters of a table's part of a key. File systems take 255 bytes, and encoded names of 63 bytes each may have 379."""
_SHORTENED = 120
_MANIFEST: TypeAdapter[Manifest] = TypeAdapter(Manifest)


def open_files(location: Location, sealing_key: str) -> Files:
    """Open the place where exports are stored. sealing_key: as `bot.vault.Vault` takes it."""
    if not location.bucket and not location.directory:
        raise ValueError("a location is a bucket or a directory")
    store: FileStore = BucketStore(location) if location.bucket else DirectoryStore(Path(location.directory))
    return Files(store, Vault(sealing_key))


class Files:
    """Sealed files by key. Compression is part of sealing, and the key is what they are bound to: a file that was moved
    or changed cannot be opened. Safe to share between threads."""

    def __init__(self, store: FileStore, vault: Vault) -> None:
        self._store = store
        self._vault = vault

    @staticmethod
    def directory(repository: str, environment: str, export: str = "") -> str:
        """Return the prefix of an export's files, or of all of an environment's: it ends in `/`."""
        parts = [*repository.split("/"), environment, *([export] if export else [])]
        return "/".join([TOP, *(quote(part, safe="") for part in parts), ""])

    @staticmethod
    def part_key(table: TableName, number: int) -> str:
        """Return the key of a part below the export's directory. Names may have any characters."""
        return f"{_written(table)}/{number:05d}.copy.zst"

    def put(self, key: str, data: bytes) -> tuple[int, str]:
        """Write a file; return the size of what is stored, in bytes, and its sha256."""
        sealed = self._vault.seal(data, key)
        self._store.put(key, sealed)
        return len(sealed), hashlib.sha256(sealed).hexdigest()

    def get(self, key: str, sha256: str = "") -> bytes:
        """Read a file. sha256: what it must have. Raises UserError if it is missing, or is not what was written."""
        sealed = self._store.get(key)
        if sealed is None:
            raise _broken(key, "is missing")
        if sha256 and hashlib.sha256(sealed).hexdigest() != sha256:
            raise _broken(key, "is not what was written")
        return self._opened(key, sealed)

    def _opened(self, key: str, sealed: bytes) -> bytes:
        try:
            return self._vault.open(sealed, key)
        except SealError:
            raise _broken(key, "cannot be decrypted") from None

    def part(self, directory: str, part: Part) -> bytes:
        """Return the rows of a part, in COPY's text format."""
        return self.get(directory + part.key, part.sha256)

    def write_manifest(self, directory: str, manifest: Manifest) -> None:
        """Write the manifest, after which the export exists."""
        self.put(directory + MANIFEST, _MANIFEST.dump_json(manifest))

    def read_manifest(self, directory: str) -> Manifest | None:
        """Return an export's manifest, None if it was not finished."""
        key = directory + MANIFEST
        sealed = self._store.get(key)
        if sealed is None:
            return None
        try:
            return _MANIFEST.validate_json(self._opened(key, sealed))
        except ValidationError:
            raise _broken(key, "cannot be read") from None

    def exports(self, repository: str, environment: str) -> set[str]:
        """Return the ids of an environment's exports that have any files."""
        top = self.directory(repository, environment)
        return {key.removeprefix(top).partition("/")[0] for key in self._store.keys(top)}

    def delete(self, directory: str) -> None:
        """Delete an export's files, the manifest first, so that no export lacks a part."""
        keys: Iterator[str] = self._store.keys(directory)
        ordered: Iterable[str] = sorted(keys, key=lambda key: not key.endswith("/" + MANIFEST))
        self._store.delete(ordered)


def _written(table: TableName) -> str:
    """Return a table's name as one part of a key: different tables never have the same one, and file systems take it."""
    # What stands between the two, and before a digest, is encoded too.
    names = [
        quote(name, safe="").replace(".", "%2E").replace("~", "%7E") for name in (table.schema, table.name)
    ]
    text = ".".join(names)
    if len(text) <= _LONGEST_NAME:
        return text
    return text[:_SHORTENED] + "~" + hashlib.sha256(text.encode()).hexdigest()[:32]


def _broken(key: str, what: str) -> UserError:
    return UserError(
        f"The export's file `{key}` {what}.",
        next_step="Run the export again; what is in use stays as it is.",
    )
