"""`towpath audit` as an operator runs it, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import literal_column
from typer.testing import CliRunner, Result

from bot import logs
from bot.audit.reading import line
from bot.cli.audit import audit as commands
from bot.domain.audit import FIRST, Entry
from bot.storage.database import Database
from bot.storage.tables import audit
from bot.vault import Vault
from tests.contract.storage.records import entry
from tests.fixtures.storage import KEY


@pytest.fixture
def five(store: Database) -> list[Entry]:
    """What is recorded."""
    with store.begin() as tables:
        return [tables.audit.add(entry(index, facts={"why": f"größer {index}"})) for index in range(5)]


class Towpath:
    """Runs `towpath audit …` in this process, and in one of its own by `process`."""

    def __init__(self, data: Path, url: str) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.env = kept | {"TOWPATH_DATA_DIR": str(data), "TOWPATH_SECRET_KEY": KEY}
        self.env |= {"TOWPATH_DATABASE_URL": url, "COLUMNS": "200", "TERM": "dumb", "LC_ALL": "C"}

    def __call__(self, *arguments: str) -> Result:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(logs, "configure", lambda *_given, **_named: None)  # it is this process's own
            return CliRunner().invoke(commands, arguments, env=self.env, prog_name="towpath audit")

    def process(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "bot", "audit", *arguments],
            env=self.env,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )


@pytest.fixture
def towpath(tmp_path: Path, database_url: str) -> Towpath:
    return Towpath(tmp_path / "data", database_url)


def test_a_whole_record(towpath: Towpath, five: list[Entry]) -> None:
    done = towpath("verify")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith(f"5 entries are intact. Head: {five[4].digest}\n")
    told = towpath("verify", "--head", five[2].digest, "--json")
    assert told.exit_code == 0
    assert json.loads(told.stdout) == {
        "ok": True,
        "entries": 5,
        "head": five[4].digest,
        "number": 0,
        "why": "",
    }


def test_a_changed_entry(towpath: Towpath, five: list[Entry], store: Database) -> None:
    with store.begin() as tables:
        tables.connection.execute(audit.update().where(audit.c.number == 3).values(login="dave"))
    done = towpath("verify")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "Entry 3 was changed: its content does not match its digest.\n"
    told = towpath("verify", "--json")
    assert told.exit_code == 1
    found = json.loads(told.stdout)
    assert (found["ok"], found["number"], found["entries"]) == (False, 3, 2)


def test_a_missing_end(towpath: Towpath, five: list[Entry], store: Database) -> None:
    with store.begin() as tables:
        tables.connection.execute(audit.delete().where(audit.c.number == 5))
    done = towpath("verify", "--head", five[4].digest)
    assert done.exit_code == 1
    assert (
        f"No entry has the digest {five[4].digest}: the entries after 4 were removed, or the record was rewritten."
        in done.stderr
    )


@pytest.mark.parametrize("head", ["x", FIRST[1:], FIRST.replace("0", "F")])
def test_what_is_no_digest(towpath: Towpath, head: str) -> None:
    done = towpath("verify", "--head", head)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "`--head` is no digest" in str(done.exception)


def test_lines(towpath: Towpath, five: list[Entry], tmp_path: Path) -> None:
    done = towpath("export")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [line(one) for one in five]
    assert json.loads(done.stdout.splitlines()[1])["facts"] == {"why": "größer 1"}
    assert towpath("export", "--after", "3").stdout.splitlines() == [line(one) for one in five[3:]]
    assert towpath("export", "--after", "5").stdout == ""
    file = tmp_path / "audit.jsonl"
    assert towpath("export", "--output", str(file)).stdout == ""
    assert file.read_text() == done.stdout
    assert file.stat().st_mode & 0o77 == 0
    again = towpath("export", "--output", str(file))
    assert again.exit_code == 1
    assert "File exists" in str(again.exception)
    assert file.read_text() == done.stdout


def test_an_entry_that_cannot_be_read(sqlite_url: str, tmp_path: Path, vault: Vault) -> None:
    store = Database(sqlite_url, vault)
    with store.begin() as tables:
        every = [tables.audit.add(entry(index)) for index in range(3)]
        tables.connection.execute(
            audit.update().where(audit.c.number == 2).values(facts=literal_column("'{'"))
        )
    store.close()
    towpath = Towpath(tmp_path / "data", sqlite_url)
    done = towpath("export")
    assert (done.exit_code, done.stdout) == (1, line(every[0]) + "\n")
    assert "towpath audit verify" in str(done.exception)
    assert towpath("verify").stderr == "Entry 2 was changed: it cannot be read.\n"


def test_another_database(tmp_path: Path) -> None:
    done = Towpath(tmp_path, f"sqlite:///{tmp_path}/none.db").process("verify")
    assert done.returncode == 1
    assert done.stderr.startswith("towpath: The database is not at this version.")
    assert "Traceback" not in done.stderr


def test_a_process_of_its_own(sqlite_url: str, tmp_path: Path, vault: Vault) -> None:
    store = Database(sqlite_url, vault)
    with store.begin() as tables:
        one = tables.audit.add(entry())
    towpath = Towpath(tmp_path / "data", sqlite_url)
    done = towpath.process("verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"1 entry is intact. Head: {one.digest}\n")
    with store.begin() as tables:
        tables.connection.execute(audit.update().values(login="dave"))
    store.close()
    done = towpath.process("verify")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Entry 1 was changed: its content does not match its digest.\n"


def test_help(tmp_path: Path) -> None:
    towpath = Towpath(tmp_path, f"sqlite:///{tmp_path}/none.db")
    assert {"verify", "export"} <= set(towpath("--help").stdout.split())
    for name in ("verify", "export"):
        done = towpath(name, "--help")
        assert done.exit_code == 0
        assert f"audit {name} [OPTIONS]" in done.stdout
