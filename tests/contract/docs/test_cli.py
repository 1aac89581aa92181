"""The operator's commands: help for each, and an exit code that is 0 only on success."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import bot.cli
from bot.cli.main import app

for _module in pkgutil.iter_modules(bot.cli.__path__):
    importlib.import_module(f"bot.cli.{_module.name}")

NAMES = sorted(one.name or (one.callback.__name__ if one.callback else "") for one in app.registered_commands)


def towpath(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        env=kept | {"COLUMNS": "200", "TERM": "dumb"} | settings,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )


@pytest.fixture
def data(tmp_path: Path) -> str:
    return str(tmp_path / "data")


def test_the_list_of_commands() -> None:
    done = towpath("--help")
    assert done.returncode == 0
    for name in ("up", "web", "worker", "clock", "migrate", "doctor"):
        assert f" {name} " in done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_each_has_help(name: str) -> None:
    from typer.testing import CliRunner

    done = CliRunner().invoke(app, [name, "--help"])
    assert done.exit_code == 0
    assert f"{name} [OPTIONS]" in done.output
    assert len(done.output.splitlines()[3].strip()) > 10, "one line at least of what it is for"


@pytest.mark.parametrize("arguments", [["nonsense"], ["migrate", "--nonsense"], ["up", "--port", "x"]])
def test_what_is_not_understood_is_no_success(arguments: list[str]) -> None:
    assert towpath(*arguments).returncode == 2


def test_a_wrong_setting_is_told_in_a_line(data: str) -> None:
    done = towpath("migrate", TOWPATH_DATA_DIR=data, TOWPATH_SLOTS="hunter2")
    assert done.returncode == 1
    assert done.stderr.startswith("towpath: Invalid settings: TOWPATH_SLOTS")
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_database_url_is_told_without_its_password(data: str) -> None:
    done = towpath("migrate", TOWPATH_DATA_DIR=data, TOWPATH_DATABASE_URL="mysql://towpath:hunter2@db/x")
    assert done.returncode == 1
    assert "hunter2" not in done.stdout + done.stderr
    assert "TOWPATH_DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_key_that_is_too_short_is_told(data: str) -> None:
    done = towpath("migrate", TOWPATH_DATA_DIR=data, TOWPATH_SECRET_KEY="hunter2")
    assert done.returncode == 1
    assert "openssl rand -hex 32" in done.stderr
    assert "hunter2" not in done.stderr


def test_without_github_up_says_what_to_set(data: str) -> None:
    done = towpath("up", "--port", "0", TOWPATH_DATA_DIR=data)
    assert done.returncode == 1
    assert "TOWPATH_GITHUB_APP_ID" in done.stderr
    assert "Traceback" not in done.stderr


def test_migrating_twice(data: str) -> None:
    first = towpath("migrate", TOWPATH_DATA_DIR=data)
    assert first.returncode == 0
    assert first.stdout.startswith("Applied 0001")
    again = towpath("migrate", TOWPATH_DATA_DIR=data)
    assert (again.returncode, again.stdout) == (0, "The database is up to date.\n")


def test_the_doctor_says_what_is_missing(data: str) -> None:
    done = towpath("doctor", "--json", TOWPATH_DATA_DIR=data)
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["ok"] is False
    found = {part["part"]: part for part in told["parts"]}
    assert found["database"]["ok"] is True
    assert found["engine"]["ok"] is True
    assert found["GitHub"]["ok"] is False
    assert "TOWPATH_GITHUB_TOKEN" in found["GitHub"]["found"]


@pytest.mark.parametrize("arguments", [["doctor"], ["doctor", "--json"], ["tour", "--chapter", "nonsense"]])
def test_no_colour_reaches_a_pipe_whatever_the_environment_says(data: str, arguments: list[str]) -> None:
    done = towpath(*arguments, TOWPATH_DATA_DIR=data, FORCE_COLOR="1", TERM="xterm-256color")
    assert "\x1b" not in done.stdout + done.stderr
    assert done.stdout or done.stderr


def test_the_doctors_marks_line_up(data: str) -> None:
    lines = towpath("doctor", TOWPATH_DATA_DIR=data, COLUMNS="40").stdout.splitlines()
    assert lines[0] == "✓ database sqlite, migrated, opens with our key"
    assert [line[:11] for line in lines] == [
        *(
            "✓ database ",
            "✓ engine   ",
            "✓ sandbox  ",
            "✓ git      ",
            "✗ GitHub   ",
            "✓ Slack    ",
            "✗ secrets  ",
            "✗ settings ",
        ),
    ]
    assert "TOWPATH_GITHUB_TOKEN" in lines[-1], "a pipe's lines are whole"


def test_the_data_directory_is_private(data: str) -> None:
    towpath("migrate", TOWPATH_DATA_DIR=data)
    assert Path(data).stat().st_mode & 0o77 == 0
    for name in ("towpath.db", "secret.key"):
        assert (Path(data) / name).stat().st_mode & 0o77 == 0


def test_writing_the_pages_elsewhere(tmp_path: Path) -> None:
    assert towpath("docs", str(tmp_path)).returncode == 0
    assert (tmp_path / "commands.md").read_text().startswith("<!-- Written by")
    assert "`TOWPATH_SLOTS`" in (tmp_path / "settings.md").read_text()
