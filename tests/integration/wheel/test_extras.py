"""Installed without the extra `demo`, everything but the demo and the tour works."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from bot.web.sockets import listening_socket as tcp_listen
from tests.integration.wheel.conftest import Run


def test_no_development_tool_and_no_extra_is_behind_it(run: Run) -> None:
    names = ["tf", "grpc", "pytest", "moto", "mypy", "hypothesis", "uv"]
    code = f"from importlib.util import find_spec; print([name for name in {names} if find_spec(name)])"
    assert run("python", "-c", code).stdout == "[]\n"


@pytest.mark.parametrize("command", [["demo"], ["tour"], ["tour", "--json"]])
def test_the_demo_names_the_extra_that_is_missing(run: Run, command: list[str]) -> None:
    done = run("towpath", *command)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"towpath: `towpath {command[0]}` needs the optional extra `demo`; "
        "install it with `pip install 'towpath[demo]'`.\n"
    )


def test_the_doctor_runs_without_extras(run: Run) -> None:
    done = run("towpath", "doctor", "--json")
    assert done.returncode == 1
    found = {part["part"]: part["ok"] for part in json.loads(done.stdout)["parts"]}
    assert (found["database"], found["engine"], found["GitHub"]) == (True, True, False)


def test_up_serves_without_extras(installed: Path, tmp_path: Path) -> None:
    with tcp_listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    settings = {
        "PORT": str(port),
        "TOWPATH_GITHUB_TOKEN": "none",
        "TOWPATH_GITHUB_WEBHOOK_SECRET": "none-that-matters",
        "TOWPATH_GITHUB_API_URL": "http://127.0.0.1:9",
    }
    log = tmp_path / "log"
    with log.open("w") as output:
        up = subprocess.Popen(
            [str(installed / "towpath"), "up"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)} | settings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        assert alive(up, f"http://127.0.0.1:{port}/healthz"), log.read_text()
    finally:
        up.terminate()
        up.wait(60)


def alive(process: subprocess.Popen[bytes], url: str) -> bool:
    """Whether the address answers within a minute, while the process runs."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            return httpx.get(url).text.strip() == "alive"
        except httpx.TransportError:
            time.sleep(0.1)
    return False
