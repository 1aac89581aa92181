"""The worker of an export: what it may reach, what it reports, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.domain.exports import ExportPolicy, Progress
from bot.domain.ports.exports import Cancelled, ExportControl, ExportJob, ExportSecrets
from bot.errors import TransientError, UserError
from bot.exports.files import Location
from bot.exports.worker.messages import Confinement, Order
from bot.exports.worker.process import WorkerCommand, WorkerFailed, carry_out

PASSWORD = "never-to-be-seen"
JOB = ExportJob(
    "e1",
    "acme/infra",
    "staging",
    ExportPolicy("staging", "prod", (), {}, "digest"),
    ExportSecrets(source=f"postgresql://reader:{PASSWORD}@127.0.0.1/shop", masking_key=PASSWORD * 3),
)
Step = Callable[..., object]


@pytest.fixture
def step(tmp_path: Path) -> Step:
    """Carry out a step whose work is the given Python, in a real worker."""

    def carry(
        body: str, control: ExportControl | None = None, confinement: Confinement | None = None
    ) -> object:
        source = (
            "from bot.exports.worker import steps\n"
            "from bot.exports.worker.__main__ import main\n"
            f"def work(order, control):\n{textwrap.indent(textwrap.dedent(body), '    ')}\n"
            "steps.STEPS['swap'] = work\n"
            "main()\n"
        )
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        order = Order("swap", JOB, Location(directory=str(tmp_path)), confinement)
        command = WorkerCommand((sys.executable, "-c", source), env, tmp_path)
        return carry_out(
            command, order, control or ExportControl(lambda _phase, _progress: None, lambda: False)
        )

    return carry


def test_reports_progress_and_its_result(step: Step) -> None:
    seen: list[tuple[str, Progress]] = []
    control = ExportControl(lambda phase, progress: seen.append((phase, progress)), lambda: False)
    body = """
        from bot.domain.exports import Progress
        print("a library's remark")
        control.progress("swapping", Progress(rows=3, total=7))
        return order.job.environment
    """
    assert step(body, control) == "staging"
    assert seen == [("swapping", Progress(rows=3, total=7))]


def test_errors_keep_their_kind(step: Step) -> None:
    with pytest.raises(UserError) as refused:
        step("from bot.errors import UserError; raise UserError('no marker', next_step='mark it')")
    assert (refused.value.what, refused.value.next_step) == ("no marker", "mark it")
    with pytest.raises(TransientError):
        step("from bot.errors import TransientError; raise TransientError('no answer')")


def test_a_failure_is_logged_without_secrets(step: Step, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WorkerFailed):
        step("raise ValueError(order.job.secrets.source)")
    logged = capsys.readouterr().out
    assert "ValueError" in logged
    assert PASSWORD not in logged


def test_a_worker_that_dies_is_a_failure(step: Step) -> None:
    with pytest.raises(WorkerFailed):
        step("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")


def test_a_cancel_reaches_the_step(step: Step) -> None:
    started = threading.Event()
    control = ExportControl(lambda _phase, _progress: started.set(), started.is_set)
    body = """
        import time
        from bot.domain.exports import Progress
        from bot.domain.ports.exports import Cancelled
        control.progress("swapping", Progress())
        while not control.cancelled():
            time.sleep(0.01)
        raise Cancelled
    """
    with pytest.raises(Cancelled):
        step(body, control)


def test_ends_when_the_bot_is_killed(tmp_path: Path) -> None:
    """Nobody else would stop its writing to a database that the next worker writes to as well."""
    script = f"""
import sys, time
from tests.integration.exports.test_worker import JOB
from bot.domain.ports.exports import ExportControl
from bot.exports.files import Location
from bot.exports.worker.messages import Order
from bot.exports.worker.process import WorkerCommand, carry_out
from pathlib import Path
body = '''
import os, time
from bot.exports.worker import steps
from bot.exports.worker.__main__ import main
def work(order, control):
    open("pid", "w").write(str(os.getpid())); os.rename("pid", "running")
    time.sleep(600)
steps.STEPS["swap"] = work
main()
'''
import os
env = dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, sys.path)))
command = WorkerCommand((sys.executable, "-c", body), env, Path({str(tmp_path)!r}))
order = Order("swap", JOB, Location(directory={str(tmp_path)!r}))
carry_out(command, order, ExportControl(lambda phase, progress: None, lambda: False))
"""
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, sys.path)))
    bot = subprocess.Popen([sys.executable, "-c", script], env=env)
    running = tmp_path / "running"
    _until(running.exists)
    worker = int(running.read_text())
    bot.send_signal(signal.SIGKILL)
    bot.wait()
    _until(lambda: not Path(f"/proc/{worker}").exists() or _is_zombie(worker))


@pytest.fixture
def listeners() -> Iterator[tuple[int, int]]:
    """Two ports that accept connections."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        yield one.getsockname()[1], other.getsockname()[1]


@pytest.mark.landlock
def test_connects_to_its_ports_only(step: Step, listeners: tuple[int, int], tmp_path: Path) -> None:
    allowed, forbidden = listeners
    body = f"""
        import socket
        socket.create_connection(("127.0.0.1", {allowed})).close()
        try:
            socket.create_connection(("127.0.0.1", {forbidden})).close()
        except PermissionError:
            return "refused"
        return "connected"
    """
    readable = ("/usr", "/lib", "/lib64", "/etc", sys.prefix, sys.base_prefix, str(Path.cwd() / "bot"))
    confinement = Confinement(readable, (str(tmp_path), "/dev/null"), (allowed,))
    assert step(body, confinement=confinement) == "refused"


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "not within 60 s"
        time.sleep(0.02)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
