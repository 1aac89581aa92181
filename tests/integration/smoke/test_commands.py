"""Commands: what they get, how they end, and that nothing is left of them."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.domain.ports.smoke import Smoke, Surroundings
from bot.smoke import Checker
from bot.smoke.command import MAX_OUTPUT, MAX_SHOWN

PATIENCE = 20.0
"""Seconds after which what should have happened is a failure. No test waits for them."""


def python(code: str, **more: Any) -> Smoke:
    """Tried once, unless a test says otherwise."""
    words = (sys.executable, "-I", "-S", "-c", code)
    return Smoke(
        "nodes",
        "command",
        "nodes",
        words,
        **{"within": 20.0, "every": 0.05 if "within" in more else 20.0, "timeout": 20.0, **more},
    )


def until(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return true()


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def test_a_command_that_ends_well(checker: Checker, around: Surroundings) -> None:
    found = checker.check(python("print('node-1 Ready')"), around)
    assert (found.ok, found.message, found.tries) == (True, "`nodes` succeeded", 1)


def test_one_that_fails_tells_its_last_words(checker: Checker, around: Surroundings) -> None:
    found = checker.check(
        python("import sys; print('node-1 NotReady', file=sys.stderr); sys.exit(3)"), around
    )
    assert (found.ok, found.message) == (False, "`nodes` exited with 3: node-1 NotReady")


def test_one_that_a_signal_kills(checker: Checker, around: Surroundings) -> None:
    assert (
        checker.check(python("import os; os.kill(os.getpid(), 9)"), around).message
        == "`nodes` exited with 137"
    )


def test_one_that_is_not_there(checker: Checker, around: Surroundings) -> None:
    found = checker.check(replace(python(""), words=("no-such-program", "get")), around)
    assert found.message == (
        "`nodes` exited with 127: cannot start no-such-program: No such file or directory"
    )


def test_one_that_is_well_at_its_third_try(checker: Checker, around: Surroundings, tmp_path: Path) -> None:
    code = f"""
import os, sys
file = {str(tmp_path / "tries")!r}
with open(file, "a") as log: log.write(".")
sys.exit(os.path.getsize(file) < 3)
"""
    found = checker.check(python(code, within=20), around)
    assert (found.ok, found.tries) == (True, 3)


def test_words_are_no_shells(checker: Checker, around: Surroundings) -> None:
    words = (
        sys.executable,
        "-I",
        "-S",
        "-c",
        "import sys; sys.exit(' '.join(sys.argv[1:]))",
        "$HOME;",
        "*",
        "a b",
    )
    found = checker.check(replace(python(""), words=words), around)
    assert found.message == "`nodes` exited with 1: $HOME; * a b"


def test_what_it_may_know(checker: Checker, around: Surroundings) -> None:
    code = "import os, json, sys; print(json.dumps([dict(os.environ), os.getcwd(), sys.stdin.read()]), file=open('seen', 'w'))"
    assert checker.check(python(code), replace(around, env={"TOKEN": "abc", "HOME": "/elsewhere"})).ok
    env, cwd, stdin = json.loads((around.directory / "seen").read_text())
    assert env.pop("TOKEN") == "abc"
    assert env.pop("HOME") == env.pop("TMPDIR") == cwd == str(around.directory)
    assert stdin == ""
    assert set(env) <= {"PATH", "LANG", "NO_PROXY", "LC_CTYPE"}, "nothing of ours"


def test_its_files_are_its_own_and_gone_afterwards(checker: Checker, around: Surroundings) -> None:
    code = """
import os, sys
path = os.environ["KUBECONFIG"]
with open("seen", "w") as seen: seen.write(f"{path} {os.stat(path).st_mode:o} {open(path).read()}")
sys.exit(open(os.environ["CA_CRT"], "rb").read() != bytes(range(256)))
"""
    files = {"kubeconfig": b"clusters: []", "ca.crt": bytes(range(256))}
    assert checker.check(python(code), replace(around, files=files)).ok
    path, mode, content = (around.directory / "seen").read_text().split(" ", 2)
    assert (stat.S_IMODE(int(mode, 8)), content) == (0o600, "clusters: []")
    assert not Path(path).exists()
    assert stat.S_IMODE(around.directory.stat().st_mode) == 0o700
    assert [file.name for file in around.directory.iterdir()] == ["seen"]


@pytest.mark.parametrize("way", ["as it is", "lines", "base64"])
def test_what_it_leaks_is_hidden(checker: Checker, around: Surroundings, way: str) -> None:
    secret = "s3cr3t-token-of-the-cluster\nand-its-second-line-of-secrets"
    code = {
        "as it is": f"print({secret!r})",
        "lines": f"print({secret.splitlines()[1]!r})",
        "base64": f"import base64; print(base64.b64encode({secret!r}.encode()).decode())",
    }[way]
    lines: list[str] = []
    found = checker.check(
        python(f"{code}\nraise SystemExit(1)"), replace(around, hidden=(secret,)), on_try=lines.append
    )
    told = found.message + "".join(lines)
    assert "***" in told
    assert not any(part in told for part in ("s3cr3t", "second-line", "czNjcjN0"))


def test_a_flood_of_output_is_bounded(checker: Checker, around: Surroundings) -> None:
    code = f"""
import sys
for _ in range(200): sys.stdout.write("x" * {MAX_OUTPUT} + "\\n")
sys.exit("the end")
"""
    found = checker.check(python(code), around)
    assert found.message.endswith("the end")
    assert len(found.message) < MAX_SHOWN + 50


def test_one_that_hangs_is_killed_with_its_children(
    checker: Checker, around: Surroundings, tmp_path: Path
) -> None:
    pids = Hanging(tmp_path)
    found = checker.check(python(pids.code, timeout=3), around)
    assert (found.ok, found.message) == (False, "`nodes` took longer than 3 s: waiting")
    assert pids.all_gone()


def test_whoever_cancels_is_heard(checker: Checker, around: Surroundings, tmp_path: Path) -> None:
    pids = Hanging(tmp_path)
    found = checker.check(
        python(pids.code, within=100, every=100, timeout=100),
        around,
        cancelled=lambda: len(pids.known()) == 2,
    )
    assert found.message == "cancelled"
    assert pids.all_gone()


def test_what_it_leaves_in_the_background_is_killed(
    checker: Checker, around: Surroundings, tmp_path: Path
) -> None:
    code = f"""
import subprocess, sys
left = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(100)"])
open({str(tmp_path / "pid")!r}, "w").write(str(left.pid))
"""
    assert checker.check(python(code), around).ok, "it holds the output open, and nobody waits for it"
    pid = int((tmp_path / "pid").read_text())
    assert until(lambda: gone(pid))


def test_one_that_closes_its_output_is_waited_for(checker: Checker, around: Surroundings) -> None:
    code = "import os, time; os.close(1); os.close(2); time.sleep(0.3); os._exit(4)"
    assert checker.check(python(code), around).message == "`nodes` exited with 4"


def test_when_the_bot_is_killed_its_command_is_killed(tmp_path: Path) -> None:
    pids = Hanging(tmp_path)
    code = f"""
from pathlib import Path
from bot.domain.ports.smoke import Smoke, Surroundings
from bot.sandbox import Sandbox
from bot.smoke import Checker
words = ({sys.executable!r}, "-I", "-S", "-c", {pids.code!r})
Checker({{}}, Sandbox()).check(Smoke("nodes", "command", "nodes", words, timeout=100, within=100), Surroundings(Path({str(tmp_path)!r})))
"""
    with subprocess.Popen([sys.executable, "-c", code], cwd=Path.cwd()) as bot:
        assert until(lambda: len(pids.known()) == 2)
        bot.send_signal(signal.SIGKILL)
    assert pids.all_gone()


class Hanging:
    """Code of a program with a child, both of which hang, deaf to polite signals."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "pids"
        child = (
            "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
            f"open({str(self._file)!r}, 'a').write(str(os.getpid()) + chr(10)); time.sleep(100)"
        )
        self.code = f"""
import os, subprocess, sys
print("waiting", flush=True)
open({str(self._file)!r}, "a").write(str(os.getpid()) + chr(10))
subprocess.run([sys.executable, "-S", "-c", {child!r}])
"""

    def known(self) -> list[int]:
        return [int(line) for line in self._file.read_text().split()] if self._file.exists() else []

    def all_gone(self) -> bool:
        return len(self.known()) == 2 and until(lambda: all(map(gone, self.known())))
