"""Processes under the supervisor: stopped once, bounded, seen to their end whoever dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.ports.terraform import CommandResult, Control, Engine, Progress, WorkDir
from bot.sandbox import Confined
from bot.terraform import Runner, outcome
from bot.terraform.process.fork_server import ForkServer, Order
from bot.terraform.process.status import make_undumpable
from bot.terraform.process.supervisor import NOT_STARTED, started_at
from tests.integration.terraform.conftest import Bench, confined

COUNTING = """
import os, signal, sys, time
seen = []
signal.signal(signal.SIGINT, lambda *_: seen.append(1))
print("ready", flush=True)
until = time.monotonic() + 30
while not seen and time.monotonic() < until:
    time.sleep(0.01)
time.sleep(0.5)
open(sys.argv[1], "w").write(str(len(seen)))
sys.exit(7)
"""


def eventually(true: Callable[[], object]) -> None:
    until = time.monotonic() + 30
    while not true():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.02)


@pytest.fixture
def fake(tmp_path: Path) -> Callable[[str], Runner]:
    """A runner whose engine is a shell script."""

    def make(script: str) -> Runner:
        executable = tmp_path / "fake"
        executable.write_text(f"#!/bin/sh\n{script}\n")
        executable.chmod(0o755)
        return Runner(
            Engine(str(executable), "1.9.0", "terraform"),
            tmp_path / "data",
            dict(os.environ),
            sandbox=confined(tmp_path),
        )

    return make


@pytest.fixture
def fork_server() -> Iterator[ForkServer]:
    server = ForkServer()
    yield server
    server.stop()


def apply(runner: Runner, tmp_path: Path, control: Control, **env: str) -> CommandResult:
    return runner.apply(WorkDir(tmp_path, env), tmp_path / "plan", control)


def test_a_cancelled_apply_ends_what_has_begun(bench: Bench) -> None:
    root = bench.worktree("a", "slow-server")
    servers = root / "servers.tf"
    servers.write_text(servers.read_text().replace("create_seconds = 20", "create_seconds = 2"))
    bench.cloud.faults({"create:playground_dns_record.*": 0.2})
    assert bench.plan(root).ended.ok
    batch = 'module.server["batch"].playground_server.this'

    def begun() -> bool:
        return any(said.address == batch and said.state == "started" for said in bench.said)

    ended = bench.apply(root, cancelled=begun)
    assert ended.interrupted
    assert not ended.ok
    assert ended.log.count("Interrupt received.") == 1
    assert "Two interrupts received" not in ended.log
    things = bench.cloud.things("server")
    assert "staging-batch" in {thing["name"] for thing in things.values()}
    state = json.loads((bench.base / "states" / "state.tfstate").read_text())
    kept = [one for resource in state["resources"] for one in resource["instances"]]
    assert set(things) <= {one["attributes"]["id"] for one in kept}
    assert outcome(bench.base / "journal") == ("ended", ended.exit_code)


def test_one_sigint_and_the_exit_code(fake: Callable[[str], Runner], tmp_path: Path) -> None:
    (tmp_path / "count.py").write_text(COUNTING)
    runner = fake(f"exec {sys.executable} {tmp_path}/count.py {tmp_path}/seen")
    said: list[Progress] = []
    control = Control(tmp_path / "j", on_progress=said.append, cancelled=lambda: bool(said))
    ended = apply(runner, tmp_path, control)
    assert (tmp_path / "seen").read_text() == "1"
    assert (ended.exit_code, ended.interrupted, ended.timed_out) == (7, True, False)


def test_timeout(fake: Callable[[str], Runner], tmp_path: Path) -> None:
    (tmp_path / "count.py").write_text(COUNTING)
    runner = fake(f"exec {sys.executable} {tmp_path}/count.py {tmp_path}/seen")
    ended = apply(runner, tmp_path, Control(tmp_path / "j", timeout=1))
    assert (tmp_path / "seen").read_text() == "1"
    assert (ended.exit_code, ended.interrupted, ended.timed_out) == (7, False, True)


def test_what_ignores_sigint_is_killed_with_its_children(
    fake: Callable[[str], Runner], tmp_path: Path
) -> None:
    runner = fake("trap '' INT\nsleep 600 &\necho $! \nwait\nsleep 600")
    said: list[Progress] = []
    control = Control(tmp_path / "j", on_progress=said.append, cancelled=lambda: bool(said), grace=0.3)
    ended = apply(runner, tmp_path, control)
    assert (ended.exit_code, ended.interrupted) == (-signal.SIGKILL, True)
    eventually(lambda: started_at(int(said[0].line)) == "-")


def test_a_flood_is_bounded(fake: Callable[[str], Runner], tmp_path: Path) -> None:
    runner = fake(
        "echo first\nyes 'a line of the flood' | head -c 100000000\necho\nhead -c 30000000 /dev/zero\necho\necho last"
    )
    said: list[Progress] = []
    ended = apply(runner, tmp_path, Control(tmp_path / "j", on_progress=said.append))
    assert ended.ok
    assert ended.log.startswith("first\n")
    assert ended.log.endswith("last")
    assert "lines left out" in ended.log
    assert len(ended.log) < 2_000_000
    assert len(said) < 10_000


def test_progress_that_fails_does_not_stop_terraform(fake: Callable[[str], Runner], tmp_path: Path) -> None:
    def fails(*_: object) -> bool:
        raise RuntimeError("no database")

    runner = fake("echo one\nsleep 0.5\necho two")
    ended = apply(runner, tmp_path, Control(tmp_path / "j", on_progress=fails, cancelled=fails))
    assert (ended.exit_code, ended.log) == (0, "one\ntwo")


def test_a_process_left_behind_ends_with_the_call(fake: Callable[[str], Runner], tmp_path: Path) -> None:
    escaping = "import os, time; os.setsid(); print(os.getpid(), flush=True); time.sleep(600)"
    runner = fake(f'{sys.executable} -c "{escaping}" &\nsleep 0.5\necho done')
    said: list[Progress] = []
    ended = apply(runner, tmp_path, Control(tmp_path / "j", on_progress=said.append))
    left = next(int(one.line) for one in said if one.line.isdecimal())
    with pytest.raises(ProcessLookupError):
        os.kill(left, 0)
    assert ended.ok
    assert "done" in ended.log


def test_an_engine_that_is_gone(tmp_path: Path) -> None:
    runner = Runner(
        Engine(str(tmp_path / "none"), "1.9.0", "terraform"),
        tmp_path / "data",
        {},
        sandbox=confined(tmp_path),
    )
    ended = apply(runner, tmp_path, Control(tmp_path / "j"))
    assert ended.exit_code == 127
    assert "Cannot start" in ended.log
    assert outcome(tmp_path / "j") == ("ended", 127)


def test_the_environment_is_clean(
    fake: Callable[[str], Runner], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dumping = fake(f"env -0 > {tmp_path}/env")
    bots = {
        "TOWPATH_SECRET_KEY": "k",
        "AWS_SECRET_ACCESS_KEY": "of the bot",
        "PROD_TOKEN": "p",
        "HOME": "/home/bot",
    }
    allowed = {"PATH": os.environ["PATH"], "https_proxy": "http://proxy:3128", "SSL_CERT_FILE": "/ca.pem"}
    for key, value in {**bots, **allowed}.items():
        monkeypatch.setenv(key, value)
    runner = Runner(dumping.engine, tmp_path / "data", {**bots, **allowed}, sandbox=confined(tmp_path))
    assert apply(runner, tmp_path, Control(tmp_path / "j"), TOKEN="own", TF_DATA_DIR="/elsewhere").ok
    pairs = (tmp_path / "env").read_text().rstrip("\0").split("\0")
    seen = dict(pair.split("=", 1) for pair in pairs)
    home, temporary = Path(seen.pop("HOME")), Path(seen.pop("TMPDIR"))
    assert home.parent == temporary.parent
    assert not home.parent.exists(), "gone with the call"
    for of_the_shell in ("PWD", "SHLVL", "_", "OLDPWD"):
        seen.pop(of_the_shell, None)
    assert seen == {
        **allowed,
        "TOKEN": "own",
        "LANG": "C.UTF-8",
        "CHECKPOINT_DISABLE": "1",
        "TF_DATA_DIR": ".terraform",
        "TF_HTTP_RETRY_MAX": "30",
        "TF_INPUT": "0",
        "TF_IN_AUTOMATION": "1",
    }


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="Linux's policy")
def test_terraform_gives_way_to_the_bot(fake: Callable[[str], Runner], tmp_path: Path) -> None:
    asking = f'exec {sys.executable} -c "import os; print(os.sched_getscheduler(0))" > {tmp_path}/policy'
    assert apply(fake(asking), tmp_path, Control(tmp_path / "j")).ok
    assert int((tmp_path / "policy").read_text()) == os.SCHED_BATCH
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_secrets_are_hidden_in_all_that_is_told(fake: Callable[[str], Runner], tmp_path: Path) -> None:
    runner = fake('printf \'%s\\n\' "the password is $DB_PASSWORD" "and plain-secret"\nexit 1')
    said: list[Progress] = []
    control = Control(tmp_path / "j", on_progress=said.append, secrets=["plain-secret"])
    ended = apply(runner, tmp_path, control, DB_PASSWORD="correct horse")
    assert ended.log == "the password is ***\nand ***"
    assert [one.line for one in said] == ["the password is ***", "and ***"]


PARENT = """
import os, sys
from pathlib import Path
from bot.domain.ports.terraform import Control, Engine, WorkDir
from bot.sandbox import Sandbox
from bot.terraform import Runner
base = Path(sys.argv[1])
runner = Runner(Engine(str(base / "fake"), "1.9.0", "terraform"), base / "data", dict(os.environ), sandbox=Sandbox())
runner.apply(WorkDir(base), base / "plan", Control(base / "j", on_progress=lambda said: print(said.line, flush=True)))
"""


def test_a_killed_bot_means_one_sigint_and_an_exit_code(
    fake: Callable[[str], Runner], tmp_path: Path
) -> None:
    chatty = COUNTING.replace("sys.exit(7)", "print('orphaned output\\n' * 100000, flush=True)\nsys.exit(7)")
    (tmp_path / "count.py").write_text(chatty)
    fake(f"exec {sys.executable} {tmp_path}/count.py {tmp_path}/seen")
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == "ready\n"
        assert outcome(tmp_path / "j") == ("running", None)
        parent.kill()
    eventually(lambda: outcome(tmp_path / "j")[0] != "running")
    assert outcome(tmp_path / "j") == ("ended", 7)
    assert (tmp_path / "seen").read_text() == "1"
    eventually(lambda: "orphaned" in (tmp_path / "j" / "output").read_text())
    assert sum(path.stat().st_size for path in (tmp_path / "j").glob("output*")) < 3 << 20


def test_a_killed_supervisor_is_a_lost_run(fake: Callable[[str], Runner], tmp_path: Path) -> None:
    runner = fake("echo ready\nexec sleep 600")
    journal = tmp_path / "j"

    def kill(_said: Progress) -> None:
        terraform, _, supervisor, _ = (journal / "pid").read_text().split()
        os.kill(int(supervisor), signal.SIGKILL)
        threading.Timer(0.3, os.kill, (int(terraform), signal.SIGKILL)).start()

    ended = apply(runner, tmp_path, Control(journal, on_progress=kill))
    assert ended.exit_code == -signal.SIGKILL
    assert "not known" in ended.log
    assert outcome(journal) == ("lost", None)


def test_a_process_id_that_came_again_is_another_process(tmp_path: Path) -> None:
    me = os.getpid()
    (tmp_path / "pid").write_text(f"{me} {started_at(me)} 0 -\n")
    assert outcome(tmp_path)[0] == "running"
    (tmp_path / "pid").write_text(f"{me} {int(started_at(me)) - 1} 0 -\n")
    assert outcome(tmp_path)[0] == "lost"
    assert outcome(tmp_path / "nothing") == ("lost", None)


def test_the_bots_own_processes_can_be_closed() -> None:
    code = """
        import ctypes
        from bot.terraform import make_undumpable
        assert make_undumpable()
        print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
    """
    if sys.platform != "linux":
        assert not make_undumpable()
        return
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "0"


def test_a_reader_that_stalls_does_not_keep_terraform_from_stopping(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    """Nobody reads, Terraform floods: the interrupt still reaches it, and it can write on and end."""
    script = tmp_path / "flooding.py"
    script.write_text(
        "import signal, sys\nseen = []\nsignal.signal(signal.SIGINT, lambda *_: seen.append(1))\n"
        "while not seen:\n    sys.stdout.write('x' * 999 + '\\n')\nprint('y' * 3000000)\nsys.exit(5)\n"
    )
    journal = tmp_path / "j"
    journal.mkdir()
    with fork_server.start(
        Order(
            Confined(
                (
                    sys.executable,
                    str(script),
                )
            ),
            tmp_path,
            {},
            journal,
            grace=30,
        )
    ) as process:
        eventually((journal / "pid").exists)
        time.sleep(0.5)
        process.interrupt()
        eventually(lambda: outcome(journal) == ("ended", 5))


def test_who_is_asked_to_stop_before_the_start_does_not_start(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    journal = tmp_path / "j"
    journal.mkdir()
    with fork_server.start(Order(Confined(("/bin/true",)), tmp_path, {}, journal, grace=1)):
        eventually(lambda: outcome(journal) == ("ended", 0))
    (journal / "exit").unlink()
    (journal / "pid").unlink()
    order = Order(
        Confined(
            (
                sys.executable,
                "-c",
                f"open({str(tmp_path / 'ran')!r}, 'w')",
            )
        ),
        tmp_path,
        {},
        journal,
        grace=1,
    )
    pid = fork_server._process.pid  # type: ignore[union-attr]
    os.kill(pid, signal.SIGSTOP)
    with fork_server.start(order) as process:
        process.interrupt()
        os.kill(pid, signal.SIGCONT)
        eventually(lambda: outcome(journal) == ("ended", 130))
    assert not (tmp_path / "ran").exists()


def test_supervisors_outlive_what_forked_them_and_another_one_takes_its_place(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with fork_server.start(
        Order(
            Confined(
                (
                    "/bin/sleep",
                    "600",
                )
            ),
            tmp_path,
            {},
            tmp_path / "one",
            grace=5,
        )
    ) as first:
        eventually(lambda: outcome(tmp_path / "one") == ("running", None))
        fork_server._process.kill()  # type: ignore[union-attr]
        fork_server._process.wait()  # type: ignore[union-attr]
        with fork_server.start(
            Order(
                Confined(
                    (
                        "/bin/echo",
                        "here",
                    )
                ),
                tmp_path,
                {},
                tmp_path / "two",
                grace=5,
            )
        ) as second:
            eventually(lambda: outcome(tmp_path / "two") == ("ended", 0))
            assert os.read(second.output, 100) == b"here\n"
        assert outcome(tmp_path / "one") == ("running", None)
        first.interrupt()
        eventually(lambda: outcome(tmp_path / "one") == ("ended", -signal.SIGINT))
    assert not first.never_started
    assert not second.never_started


def test_what_cannot_be_entered_or_started_never_ran(fork_server: ForkServer, tmp_path: Path) -> None:
    journal = tmp_path / "j"
    journal.mkdir()
    for order in (
        Order(Confined(("/bin/true",)), tmp_path / "nowhere", {}, journal, grace=1),
        Order(Confined((str(tmp_path / "nothing"),)), tmp_path, {}, journal, grace=1),
    ):
        with fork_server.start(order) as process:
            eventually(lambda: outcome(journal) == ("ended", NOT_STARTED))
        assert process.never_started
        (journal / "exit").unlink()


def test_a_large_environment_reaches_terraform_and_is_not_its_supervisors(
    fork_server: ForkServer, tmp_path: Path
) -> None:
    journal = tmp_path / "j"
    journal.mkdir()
    env = {f"SECRET_{number}": "s" * 100_000 for number in range(10)} | {"UML": "\u00e4 \udcff\n"}
    code = "import os, time; print(sum(len(v) for v in os.environ.values()), flush=True); time.sleep(600)"
    with fork_server.start(
        Order(
            Confined(
                (
                    sys.executable,
                    "-I",
                    "-c",
                    code,
                )
            ),
            tmp_path,
            env,
            journal,
            grace=5,
        )
    ) as process:
        assert int(os.read(process.output, 100)) >= 1_000_004
        supervisor = (journal / "pid").read_text().split()[2]
        assert b"SECRET" not in Path(f"/proc/{supervisor}/environ").read_bytes()
        process.interrupt()
        eventually(lambda: outcome(journal)[0] == "ended")


def test_engine_is_told_apart_by_version(embedded_engine: Engine) -> None:
    assert replace(embedded_engine, version="1.0.0").identity != embedded_engine.identity
