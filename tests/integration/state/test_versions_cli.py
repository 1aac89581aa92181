"""`towpath state list|show|diff|export|verify|accept`, on both databases, and against a real bucket."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner, Result

from bot import logs
from bot.cli import state_directory, state_verify, state_versions
from bot.cli.state import state as commands
from bot.domain.ports.state import Author
from bot.domain.run import Plan
from bot.domain.states.model import StateInfo
from bot.domain.states.unsaved import Unsaved
from bot.domain.target import Target
from bot.errors import UserError
from bot.storage.database import Database
from bot.storage.tables import state_files
from tests.contract.state_store import state
from tests.fixtures.storage import KEY
from tests.fork_server import ForkServer

COMMANDS = (state_versions.compare, state_verify.verify)
"""What the import of their files has registered."""

HERE = Target("acme/infra", "infra", "staging")
SECRET = "hunter2-hunter2"


def full(serial: int, size: int = 1) -> bytes:
    instances = [
        {"index_key": index, "attributes": {"size": serial, "password": f"{SECRET}{serial}"}}
        for index in range(size)
    ]
    web = {"mode": "managed", "type": "x", "name": "web", "instances": instances}
    return state(serial, resources=[web], outputs={"url": {"value": f"http://{serial}"}})


Towpath = Callable[..., Result]


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | {
        "TOWPATH_DATA_DIR": str(tmp_path / "data"),
        "TOWPATH_SECRET_KEY": KEY,
        "TOWPATH_DATABASE_URL": database_url,
        "COLUMNS": "200",
        "TERM": "dumb",
    }


@pytest.fixture
def towpath(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Towpath:
    monkeypatch.setattr(logs, "configure", lambda *_given, **_named: None)  # it is this process's own
    return lambda *arguments: CliRunner().invoke(commands, arguments, env=settings)


@pytest.fixture
def written(store: Database) -> Database:
    with store.begin() as tables:
        for serial in (1, 2, 4):
            tables.states.append(HERE.key, full(serial), StateInfo.parse(full(serial)), Author(actor="ann"))
    return store


def plan(store: Database, kind: str, **config: str) -> None:
    """The newest plan there, which has proven the backend."""
    with store.begin() as tables:
        tables.plans.add(
            Plan(
                *(
                    "p",
                    "r",
                    HERE,
                    1,
                    "c",
                    "b",
                    hashlib.sha256(b"").hexdigest(),
                    "policy",
                    "terraform",
                    "one",
                    4,
                    "tree",
                    "/w",
                    "/r",
                ),
                has_changes=True,
                summary={},
                backend={"kind": kind, "config": config},
                created_at=datetime.now(UTC),
            ),
            b"",
        )


def test_list_show_and_diff(towpath: Towpath, written: Database) -> None:
    listed = towpath("list", "staging")
    assert listed.exit_code == 0
    assert "State versions of staging" in listed.stdout
    told = json.loads(towpath("list", HERE.key, "--limit", "2", "--json").stdout)
    assert [version["serial"] for version in told["versions"]] == [4, 2]
    assert told["ok"] is True
    assert json.loads(towpath("list", "--json").stdout)["targets"][0]["newest"]["serial"] == 4
    assert towpath("list").stdout == f"{HERE.key}  serial 4\n"
    shown = json.loads(towpath("show", "staging", "2", "--json").stdout)
    assert (shown["serial"], shown["addresses"], shown["output_names"]) == (2, ["x.web[0]"], ["url"])
    assert "x.web[0]\noutput.url\n" in towpath("show", "staging").stdout
    differs = towpath("diff", "staging")
    assert "size = 2 -> 4" in differs.stdout
    assert "serial 2 → 4" in differs.stdout
    other = json.loads(towpath("diff", "staging", "1", "2", "--json").stdout)
    assert (other["before"]["serial"], other["after"]["serial"]) == (1, 2)
    for done in (listed, differs, towpath("show", "staging")):
        assert SECRET not in done.stdout


def test_export_is_byte_for_byte(towpath: Towpath, written: Database, tmp_path: Path) -> None:
    assert towpath("export", "staging", "2").stdout_bytes == full(2)
    file = tmp_path / "old.tfstate"
    assert towpath("export", "staging", "--output", str(file)).exit_code == 0
    assert file.read_bytes() == full(4)
    assert file.stat().st_mode & 0o77 == 0
    again = towpath("export", "staging", "--output", str(file))
    assert "File exists" in str(again.exception)


def test_what_was_not_pushed_is_written_out(towpath: Towpath, written: Database, tmp_path: Path) -> None:
    """Also of a target that has no recorded state, and also where it was overtaken; not what was pushed."""
    assert "No state is waiting to be pushed" in str(towpath("unsaved", "staging").exception)
    prod, made = Target("acme/infra", "infra", "prod"), datetime.now(UTC)
    with written.begin() as tables:
        for name, where in (("a", prod), ("b", HERE)):
            lost = Unsaved(name, where, "r", 7, "c", "ann", "l", 3, "s", 4, 2, True, "", made)
            tables.unsaved.keep(lost, f"kept {name}".encode())
        tables.unsaved.end("a", "overtaken", made)
        tables.unsaved.end("b", "pushed", made)
    assert towpath("unsaved", "prod").stdout_bytes == b"kept a"
    assert "No state of `staging`" in str(towpath("unsaved", "staging").exception)
    file = tmp_path / "kept"
    assert towpath("unsaved", prod.key, "--output", str(file)).exit_code == 0
    assert file.read_bytes() == b"kept a"
    assert file.stat().st_mode & 0o77 == 0


def test_what_there_is_not(towpath: Towpath, written: Database) -> None:
    assert "No state of `prod` was recorded" in str(towpath("show", "prod").exception)
    assert "with serial 3" in str(towpath("show", "staging", "3").exception)
    with written.begin() as tables:
        tables.states.append("acme/other:infra:staging", full(1), StateInfo.parse(full(1)))
    assert "is several" in str(towpath("show", "staging").exception)
    assert "Only one state" in str(towpath("diff", "acme/other:infra:staging").exception)


def test_a_damaged_version_is_told_and_others_are_read(towpath: Towpath, written: Database) -> None:
    with written.begin() as tables:
        tables.states.end(HERE.key)
        tables.states.append(HERE.key, full(9), StateInfo.parse(full(9)))
        newest = tables.states.newest(HERE.key)
        assert newest is not None
        tables.connection.execute(
            state_files.update().where(state_files.c.state_id == newest.id).values(file=b"x")
        )
    listed = towpath("list", "staging")
    assert listed.exit_code == 1
    assert "Damaged: 9." in listed.stdout
    told = json.loads(towpath("list", "staging", "--json").stdout)
    assert [version["damaged"] for version in told["versions"]] == [True, False, False, False]
    assert "serial 9 of staging" in str(towpath("show", "staging").exception)
    assert towpath("export", "staging", "4").stdout_bytes == full(4)
    verified = towpath("verify", "staging")
    assert verified.exit_code == 1
    assert "is damaged" in verified.stdout


def test_verify_a_file(towpath: Towpath, written: Database, tmp_path: Path) -> None:
    file = tmp_path / "pulled"
    file.write_bytes(full(4))
    assert towpath("verify", "staging", "--file", str(file)).exit_code == 0
    file.write_text(json.dumps(json.loads(full(4)), indent=2))
    same = towpath("verify", "staging", "--file", str(file))
    assert (same.exit_code, "is formatted differently" in same.stdout) == (0, True)
    file.write_bytes(full(2, size=3))
    told = json.loads(towpath("verify", "staging", "--file", str(file), "--json").stdout)
    wrong = {one["what"]: one["said"] for one in told["findings"] if not one["ok"]}
    assert set(wrong) == {"serial of the file", "digest of the file", "number of resources of the file"}
    assert wrong["serial of the file"] == "The serial of the file is 2; the record has 4."
    file.write_text("no state")
    assert towpath("verify", "staging", "--file", str(file)).exit_code == 1


def laptop(directory: Path, kind: str, workspace: str = "", **config: Any) -> str:
    inner = directory / ".terraform"
    inner.mkdir(parents=True, exist_ok=True)
    (inner / "terraform.tfstate").write_text(json.dumps({"backend": {"type": kind, "config": config}}))
    (inner / "environment").write_text(workspace)
    return str(directory)


def test_verify_a_directory(towpath: Towpath, written: Database, tmp_path: Path) -> None:
    address = "https://towpath.example.com/state/acme/infra/infra/"
    right = laptop(tmp_path / "a", "http", address=f"{address}staging")
    assert towpath("verify", "staging", "--directory", right).exit_code == 0
    wrong = laptop(tmp_path / "b", "http", address=f"{address}prod")
    done = towpath("verify", "staging", "--directory", wrong)
    assert done.exit_code == 1
    assert "✗ The address of the directory is /state/acme/infra/infra/prod" in done.stdout
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path / "b")
        assert towpath("verify", "staging").exit_code == 1, "the current directory counts"
    local = laptop(tmp_path / "c", "http", address=f"{address}staging")
    (tmp_path / "c" / "errored.tfstate").write_bytes(full(5))
    told = towpath("verify", "staging", "--directory", local)
    assert "✗ The serial of `errored.tfstate` there is 5; the record has 4." in told.stdout
    assert "terraform init" in str(towpath("verify", "staging", "--directory", str(tmp_path)).exception)


def test_verify_and_accept_a_bucket(
    settings: dict[str, str], written: Database, endpoint: str, tmp_path: Path, fork_server: ForkServer
) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    bucket = f"states-{tmp_path.name.replace('_', '-')[:30]}"
    client.create_bucket(Bucket=bucket)
    config = {"bucket": bucket, "key": "staging/terraform.tfstate", "region": "us-east-1"}
    plan(written, "s3", **config, endpoints=json.dumps({"s3": endpoint}))
    settings |= {"TOWPATH_S3_ACCESS_KEY_ID": "test", "TOWPATH_S3_SECRET_ACCESS_KEY": "test"}

    def towpath(*arguments: str) -> subprocess.CompletedProcess[str]:
        return fork_server.run(["state", *arguments], settings)

    client.put_object(Bucket=bucket, Key=config["key"], Body=full(4))
    here = laptop(tmp_path / "a", "s3", bucket=bucket, key=config["key"], endpoints={"s3": endpoint})
    done = towpath("verify", "staging", "--directory", here)
    assert done.returncode == 0, done.stdout + done.stderr
    place = f"bucket {bucket} at {endpoint}, key {config['key']}, workspace default (object {config['key']})"
    assert f"Towpath has {HERE.key} in {place}: serial 4, lineage one." in done.stdout
    other = fork_server.run(
        ["state", "verify", "staging", "--directory", here], settings | {"TF_WORKSPACE": "pr-1"}
    )
    assert other.returncode == 1
    assert "The workspace of the directory is pr-1; the target's is default." in other.stdout
    elsewhere = laptop(
        tmp_path / "b", "s3", "pr-1", bucket=bucket, key="prod/terraform.tfstate", endpoints={"s3": endpoint}
    )
    client.put_object(Bucket=bucket, Key=config["key"], Body=full(3))
    told = json.loads(towpath("verify", "staging", "--directory", elsewhere, "--json").stdout)
    wrong = {one["what"] for one in told["findings"] if not one["ok"]}
    assert wrong == {"serial of the backend", "digest of the backend", "key", "workspace"}
    accepted = towpath("accept", "staging")
    assert (accepted.returncode, accepted.stdout) == (0, "Recorded: serial 3.\n")
    assert towpath("verify", "staging").returncode == 0
    client.delete_object(Bucket=bucket, Key=config["key"])
    gone = towpath("verify", "staging")
    assert gone.returncode == 1
    assert "The backend has no state, but the record does." in gone.stdout


def test_what_a_laptop_lacks(towpath: Towpath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is said before anything is asked: the bot's address, the repository, an initialised directory."""
    url = "https://towpath.example.com"
    for arguments, said in (
        (("--repository", "acme/infra"), "Add `--url`"),
        (("--url", url), "Add `--repository owner/name`"),
        (
            ("--url", url, "--repository", "acme/infra", "--directory", str(tmp_path)),
            "Run `terraform init` in it",
        ),
    ):
        assert said in str(towpath("verify", "staging", *arguments).exception)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="Neither `terraform` nor `tofu` is on PATH"):
        state_directory.pulled(tmp_path)
