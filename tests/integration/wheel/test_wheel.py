"""The built wheel, installed on its own: everything is inside, and it runs outside the checkout."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tests.integration.wheel.conftest import ROOT, Run


def test_every_file_of_the_packages_is_inside(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        path.relative_to(ROOT).as_posix()
        for package in ("bot", "commands", "migrations")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted
    assert wanted - inside == set()


def test_what_must_not_be_forgotten_is_inside(wheel: Path) -> None:
    inside = zipfile.ZipFile(wheel).namelist()
    for part in (
        "bot/web/templates/run.html",
        "bot/playground/sample/repository/envs/environments.toml",
        "bot/playground/sample/repository/infra/main.tf",
        "bot/playground/page/static/",
        "bot/playground/page/templates/",
        "commands/apply.py",
        "migrations/versions/0001_first_tables.py",
    ):
        assert any(name.startswith(part) for name in inside), part


def test_nothing_else_is_inside(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"bot", "commands", "migrations"}


def test_the_licence_is_inside(wheel: Path) -> None:
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in zipfile.ZipFile(wheel).namelist())


def test_it_is_the_wheel_that_runs(run: Run, installed: Path) -> None:
    done = run(
        "python",
        "-c",
        "import bot, commands, migrations; print(bot.__file__, commands.__file__, migrations.__file__)",
    )
    assert done.returncode == 0, done.stderr
    assert all(path.startswith(str(installed.parent)) for path in done.stdout.split())


def test_its_command_runs_outside_the_checkout(run: Run) -> None:
    done = run("towpath", "--help")
    assert done.returncode == 0, done.stderr
    assert "migrate" in done.stdout


def test_it_migrates_outside_the_checkout(run: Run, tmp_path: Path) -> None:
    done = run("towpath", "migrate")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Applied 0001")
    assert (tmp_path / "data" / "towpath.db").is_file()
    assert run("towpath", "migrate").stdout == "The database is up to date.\n"


def test_it_has_its_chat_commands_and_its_templates(run: Run) -> None:
    code = (
        "from commands.registry import load; from bot.web.pages import _templates; "
        "from bot.playground.sample import files; "
        "print(len(load()), _templates.get_template('run.html').name, len(files()))"
    )
    done = run("python", "-c", code)
    assert done.returncode == 0, done.stderr
    commands, template, files = done.stdout.split()
    assert (int(commands) >= 9, template, int(files) > 5) == (True, "run.html", True)
