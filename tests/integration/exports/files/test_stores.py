"""Stores of files, on a real S3 server and on disk, and what is sealed in them."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import pytest

from bot.domain.exports import Manifest, Part, Sequence, TableFiles, TableName
from bot.errors import TransientError, UserError
from bot.exports.files import Files, FileStore, Location, open_files
from bot.exports.files.bucket import BucketStore
from bot.exports.files.directory import DirectoryStore
from bot.vault import Vault, subkeys

KEY = "k" * 40
NOW = datetime(2026, 3, 1, tzinfo=UTC)
MANIFEST = Manifest(
    export="e1",
    repository="acme/infra",
    environment="staging",
    source="prod",
    tables=(TableFiles(TableName("public", 'a "b'), ("id",), 3, (Part("x/00001.copy.zst", 3, 9, "ab"),)),),
    sequences=(Sequence(TableName("public", "s"), None),),
    schema_key="schema.dump",
    schema_sha256="cd",
    schema_digest="s",
    policy_digest="p",
    key_id="k",
    server_version=160004,
    snapshot_at=NOW,
    written_at=NOW,
)


@pytest.fixture(params=["bucket", "directory"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Location:
    if request.param == "directory":
        return Location(directory=str(tmp_path / "files"))
    return in_bucket(request.getfixturevalue("s3_endpoint"), tmp_path)


def in_bucket(endpoint: str, tmp_path: Path) -> Location:
    location = Location(f"exports-{abs(hash(tmp_path))}", endpoint, "us-east-1", "k", "s")
    boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="k",
        aws_secret_access_key="s",
    ).create_bucket(Bucket=location.bucket)
    return location


@pytest.fixture
def store(location: Location) -> FileStore:
    return BucketStore(location) if location.bucket else DirectoryStore(Path(location.directory))


@pytest.fixture
def files(location: Location) -> Files:
    return open_files(location, KEY)


def test_writes_reads_lists_and_deletes(store: FileStore) -> None:
    assert store.get("exports/a/1") is None
    for key in ("exports/a/1", "exports/a/b/2", "exports/ab/3"):
        store.put(key, key.encode())
    store.put("exports/a/1", b"new")
    assert store.get("exports/a/1") == b"new"
    assert sorted(store.keys("exports/a/")) == ["exports/a/1", "exports/a/b/2"]
    store.delete(["exports/a/1", "exports/a/b/2", "exports/a/gone"])
    assert list(store.keys("exports/")) == ["exports/ab/3"]
    assert list(store.keys("nothing/")) == []


def test_deletes_more_than_one_request_takes(
    s3_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.exports.files.bucket._DELETED_AT_ONCE", 3)
    store = BucketStore(in_bucket(s3_endpoint, tmp_path))
    for number in range(7):
        store.put(f"e/{number}", b"")
    store.delete(store.keys("e/"))
    assert list(store.keys("e/")) == []


def test_the_manifest_is_as_it_was_written(files: Files) -> None:
    directory = files.directory("acme/infra", "staging", "e1")
    assert files.read_manifest(directory) is None
    files.write_manifest(directory, MANIFEST)
    assert files.read_manifest(directory) == MANIFEST
    assert files.exports("acme/infra", "staging") == {"e1"}
    assert files.exports("acme/infra", "stag") == set()


def test_a_part_that_is_missing_wrong_or_moved_is_named(files: Files, store: FileStore) -> None:
    size, sha256 = files.put("exports/e/t/1", b"1\tann\n")
    part = Part("t/1", 1, size, sha256)
    assert files.part("exports/e/", part) == b"1\tann\n"
    stored = store.get("exports/e/t/1")
    assert stored is not None
    assert b"ann" not in stored
    with pytest.raises(UserError, match=r"t/2` is missing"):
        files.part("exports/e/", replace(part, key="t/2"))
    with pytest.raises(UserError, match="is not what was written"):
        files.part("exports/e/", replace(part, sha256="0" * 64))
    store.put("exports/e/t/3", stored)
    with pytest.raises(UserError, match="cannot be decrypted"):
        files.get("exports/e/t/3")


def test_the_manifest_is_deleted_first(
    files: Files, location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = files.directory("acme/infra", "staging", "e1")
    files.put(directory + "a/1", b"")
    files.write_manifest(directory, MANIFEST)
    deleted: list[str] = []
    kind = BucketStore if location.bucket else DirectoryStore
    monkeypatch.setattr(kind, "delete", lambda _self, keys: deleted.extend(keys))
    files.delete(directory)
    assert [key.removeprefix(directory) for key in deleted] == ["manifest.json", "a/1"]


def test_hostile_names_stay_apart_and_below_the_export(files: Files) -> None:
    names = [
        ("a.b", "c"),
        ("a", "b.c"),
        ("a", "../../x"),
        ("a", "..\\x"),
        ("a", 'q"\n\r?&#%'),
        ("a", "日本語" * 7),
        ("a", "日本語" * 6 + "日本誤"),
        ("日" * 21, "本" * 21),
        ("日" * 21, "本" * 20 + "語"),
    ]
    keys = [files.part_key(TableName(*name), 1) for name in names]
    assert len(set(keys)) == len(names)
    for key in keys:
        assert key.count("/") == 1
        assert len(key.split("/")[0]) <= 200
        assert files.get(f"exports/e/{key}", files.put(f"exports/e/{key}", key.encode())[1]) == key.encode()


def test_a_subkey_opens_neither_the_bots_rows_nor_other_purposes() -> None:
    old, new = "a" * 32, "b" * 32
    both = subkeys(f"{new}, {old}", "exports")
    assert Vault(both).open(Vault(subkeys(old, "exports")).seal(b"x", "c"), "c") == b"x", (
        "keys can be replaced"
    )
    assert Vault(both).key_id == Vault(subkeys(new, "exports")).key_id
    assert both != subkeys(f"{new},{old}", "other")
    assert old not in both
    with pytest.raises(ValueError, match="not among the configured keys"):
        Vault(both).open(Vault(f"{new},{old}").seal(b"x", "c"), "c")


# --- directories


def test_files_are_for_the_bots_user_alone(tmp_path: Path) -> None:
    DirectoryStore(tmp_path / "files").put("exports/acme/infra/1", b"x")
    for path in [tmp_path / "files", *(tmp_path / "files").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o600 if path.is_file() else 0o700), path


def test_a_full_disk_leaves_nothing_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DirectoryStore(tmp_path)
    store.put("e/1", b"old")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left on device") as refused:
        store.put("e/1", b"new")
    assert "TOWPATH_EXPORT_BUCKET" in str(refused.value.next_step)
    monkeypatch.undo()
    assert list(store.keys("e/")) == ["e/1"]
    assert store.get("e/1") == b"old"


def test_what_a_killed_process_left_is_deleted_with_the_export(tmp_path: Path) -> None:
    files = open_files(Location(directory=str(tmp_path)), KEY)
    directory = files.directory("acme/infra", "staging", "e1")
    left = tmp_path / directory / "public.t"
    left.mkdir(parents=True)
    (left / "00001.copy.zst.0a1b2c3d.part").write_bytes(b"half")
    assert files.exports("acme/infra", "staging") == {"e1"}
    files.delete(directory)
    assert files.exports("acme/infra", "staging") == set()
    assert not left.exists()


# --- buckets


def test_a_bucket_that_is_missing_or_denied_says_what_to_check(s3_endpoint: str) -> None:
    store = BucketStore(Location("no-such-bucket", s3_endpoint, "us-east-1", "k", "s"))
    with pytest.raises(UserError, match="NoSuchBucket") as refused:
        store.put("k", b"x")
    assert "TOWPATH_EXPORT_BUCKET" in str(refused.value.next_step)


def test_a_bucket_that_does_not_answer_is_transient() -> None:
    store = BucketStore(Location("b", "http://127.0.0.1:1", "us-east-1", "k", "s"))
    with pytest.raises(TransientError):
        store.put("k", b"x")


class _Breaking(BaseHTTPRequestHandler):
    """Breaks off the first body, and notes the headers of deletes."""

    broken = 0
    headers_of_delete: dict[str, str]

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "10")
        self.end_headers()
        type(self).broken += 1
        self.wfile.write(b"0123" if type(self).broken == 1 else b"0123456789")
        self.close_connection = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).headers_of_delete = {name.lower(): value for name, value in self.headers.items()}
        body = b'<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></DeleteResult>'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def breaking() -> Iterator[BucketStore]:
    _Breaking.broken = 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Breaking)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield BucketStore(Location("b", f"http://127.0.0.1:{server.server_address[1]}", "us-east-1", "k", "s"))
    server.shutdown()
    thread.join()
    server.server_close()


def test_reads_again_when_a_body_breaks_off(breaking: BucketStore) -> None:
    assert breaking.get("k") == b"0123456789"
    assert _Breaking.broken == 2


def test_deletes_with_the_checksum_that_all_servers_know(breaking: BucketStore) -> None:
    breaking.delete(["k"])
    assert "content-md5" in _Breaking.headers_of_delete
    assert not [name for name in _Breaking.headers_of_delete if "checksum" in name]
