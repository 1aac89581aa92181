"""Code of a pull request reads and changes nothing of the bot's, nor of other runs."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.playground.bot_process import free_port
from bot.playground.world import REPOSITORY, World, until
from bot.terraform.cli.denied import SANDBOXED

pytestmark = pytest.mark.landlock

INTRUDER = Path(__file__).with_name("intruder.py")
ALLOWED = {
    "read the checkout",
    "write to the checkout",
    "write to its own TMPDIR",
    "read certificates",
    "take any free port",
}


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """The one directory of the test's that hostile code may write to."""
    (tmp_path / "reports").mkdir()
    return tmp_path / "reports"


@pytest.fixture
def world(tmp_path: Path, reports: Path) -> Iterator[World]:
    with World(tmp_path / "world", writable=[reports]) as started:
        yield started


def install_intruder(world: World, report: Path) -> None:
    """Let the playground's provider try everything before it serves."""
    facts = {
        "data": str(world.directory / "data"),
        "log": str(world.bot.log),
        "bot": world.bot.pid,
        "port": free_port(),
        "name": world.directory.parent.name,
    }
    attack = shlex.join(
        [sys.executable, "-I", "-S", str(report.parent / "intruder.py"), str(report), json.dumps(facts)]
    )
    (report.parent / "intruder.py").write_bytes(INTRUDER.read_bytes())
    script = world.directory / "provider" / "playground"
    script.write_text(script.read_text().replace("exec ", f"{attack} || exit 1\nexec ", 1))


def test_a_provider(world: World, reports: Path) -> None:
    """During a plan, a provider sees its checkout and what every program needs, and the plan is made all the same."""
    report = reports / "report.json"
    install_intruder(world, report)
    number = world.propose("bigger-web")
    until(report.exists, what="the provider's start")
    until(lambda: "`/apply staging`" in world.status(number), what=f"the plan\n{report.read_text()}")
    seen = json.loads(report.read_text())
    assert {name for name, result in seen.items() if result == "done"} == ALLOWED, seen


@pytest.mark.parametrize("where", ["/etc/passwd", "{data}/towpath.db", "/proc/{bot}/environ"])
def test_a_file_function(world: World, where: str) -> None:
    """`file()` needs no provider; the kernel refuses it, and the comment says what a plan may read."""
    path = where.format(data=world.directory / "data", bot=world.bot.pid)
    text = f'output "stolen" {{\n  value = filebase64("{path}")\n}}\n'
    branch = "carol/thief"
    world.github.commit_files(
        REPOSITORY, branch, {"infra/thief.tf": text}, author="carol", message="Add an output"
    )
    number = world.github.open_pull(REPOSITORY, author="carol", head=branch, title="Add an output")
    comment = until(lambda: found if "failed" in (found := world.status(number)) else "", what="the refusal")
    told = " ".join(comment.split()) + " ".join(str(world.github.timeline(REPOSITORY, number)).split())
    assert "permission denied" in told
    assert SANDBOXED in told
