"""Both sandboxes: what a process sees, how it is interrupted, and what is left of it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.domain.ports.terraform import Control, Engine, WorkDir
from bot.errors import UserError
from bot.sandbox import Access, Kind, landlock, open_sandbox
from bot.terraform import Runner
from tests.integration.terraform.conftest import confined
from tests.integration.terraform.test_supervision import COUNTING

MakeRunner = Callable[[str], Runner]

KINDS = [
    pytest.param("landlock", marks=pytest.mark.landlock),
    pytest.param("bubblewrap", marks=pytest.mark.bubblewrap),
]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@pytest.fixture
def confined_script(tmp_path: Path, kind: Kind) -> MakeRunner:
    """A runner whose engine is a shell script; of the test's files only `out` is in sight."""

    def make(script: str) -> Runner:
        for name in ("bin", "out"):
            (tmp_path / name).mkdir(exist_ok=True)
        executable = tmp_path / "bin" / "fake"
        executable.write_text(f"#!/bin/sh\n{script}\n")
        executable.chmod(0o755)
        engine = Engine(str(executable), "1.9.0", "terraform")
        return Runner(engine, tmp_path / "data", os.environ, sandbox=confined(tmp_path / "out", kind=kind))

    return make


def run(runner: Runner, tmp_path: Path, **control: object) -> tuple[int, str]:
    root = tmp_path / "checkout"
    root.mkdir(exist_ok=True)
    plan = tmp_path / "plan"
    plan.touch()
    ended = runner.apply(WorkDir(root), plan, Control(tmp_path / "journal", **control))  # type: ignore[arg-type]
    return ended.exit_code, ended.log


def test_what_it_sees(confined_script: MakeRunner, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("never to be seen")
    code, log = run(
        confined_script(
            f"cat {tmp_path}/secret; cat /etc/passwd; cat /proc/{os.getpid()}/environ\n"
            f"echo x > {tmp_path}/planted; echo x > {tmp_path}/plan\n"
            "echo x > in-the-checkout && echo x > $HOME/a && echo x > $TMPDIR/b && echo written"
        ),
        tmp_path,
    )
    assert (code, "written" in log) == (0, True), log
    assert "never to be seen" not in log
    assert "root:" not in log
    assert "PATH=" not in log
    assert not (tmp_path / "planted").exists()
    assert (tmp_path / "plan").read_bytes() == b""
    assert (tmp_path / "checkout" / "in-the-checkout").exists()


def test_exactly_one_interrupt(confined_script: MakeRunner, tmp_path: Path) -> None:
    count = tmp_path / "out" / "count"
    script = tmp_path / "out" / "counting.py"
    runner = confined_script(f"exec {sys.executable} -I -S {script} {count}")
    script.write_text(COUNTING)
    said: list[str] = []
    code, log = run(
        runner,
        tmp_path,
        on_progress=lambda progress: said.append(progress.line),
        cancelled=lambda: "ready" in said,
    )
    assert count.read_text() == "1", log
    assert code == 7


def test_nothing_is_left(confined_script: MakeRunner, tmp_path: Path) -> None:
    """A daemon that it starts ends with it: it could change the checkout before the next call."""
    alive = tmp_path / "out" / "alive"
    daemon = f"import os, time\nos.setsid()\nwhile True:\n    open({str(alive)!r}, 'w').write('x')\n    time.sleep(0.05)"
    runner = confined_script(
        f'{sys.executable} -I -S -c "$(cat <<E\n{daemon}\nE\n)" > /dev/null 2>&1 &\nwhile [ ! -e {alive} ]; do sleep 0.05; done'
    )
    assert run(runner, tmp_path)[0] == 0
    alive.unlink()
    time.sleep(0.3)
    assert not alive.exists()


@pytest.mark.landlock
def test_a_secret_in_sight_is_refused(tmp_path: Path) -> None:
    """The data directory below one that every process may read."""
    with pytest.raises(UserError, match="which Terraform may read"):
        open_sandbox("landlock", {}, also=Access((str(tmp_path),)), hidden=[tmp_path / "data"])


def test_without_bubblewrap(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no `bwrap` on PATH"):
        open_sandbox("bubblewrap", {"PATH": str(tmp_path)}, also=Access(), hidden=[])


def test_without_landlock(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS: nothing starts by itself without a sandbox."""
    monkeypatch.setattr(landlock.sys, "platform", "darwin")
    with pytest.raises(UserError, match="no Landlock") as error:
        open_sandbox("landlock", {}, also=Access(), hidden=[])
    assert "TOWPATH_SANDBOX=off" in error.value.next_step
    assert open_sandbox("off", {}, also=Access(), hidden=[]).kind == "off"
