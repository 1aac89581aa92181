"""`towpath demo` as a process: with an empty environment, and gone without a trace at the end."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx

BASE = Path(__file__).parents[2]


def start(tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    """No terraform is on this PATH."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "bot", "demo", *arguments]
    return subprocess.Popen(
        command, cwd=BASE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_it_starts_serves_and_ends(tmp_path: Path) -> None:
    with start(tmp_path, "--port", "0") as process:
        assert process.stdout
        told = ""
        while not (found := re.search(r"Open (http://127\.0\.0\.1:\d+/)", told)):
            line = process.stdout.readline()
            assert line, told
            told += line
        bot = re.search(r"pid (\d+)", told)
        assert bot
        with httpx.Client(trust_env=False) as client:
            assert "Bigger web server" in client.get(f"{found[1]}parts/pull").text
            assert "Bot running" in client.get(f"{found[1]}parts/bar").text
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
        assert process.wait() == 0
        assert "Stopped" in rest
    assert list(tmp_path.glob("towpath-demo-*")) == []
    assert not Path(f"/proc/{bot[1]}").exists()


def test_a_directory_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    with start(tmp_path, "--port", "0", "--directory", str(tmp_path / "mine")) as process:
        assert process.stdout
        assert "is not empty" in process.stdout.read()
        assert process.wait() == 1
