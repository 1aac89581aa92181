"""Dependencies of a working copy: real processes, started once, restarted when they died, and stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot.dev import ContainerEngine, processes
from tests.integration.dev.conftest import Clone, policy


def pages(told: dict[str, list[dict[str, object]]]) -> dict[str, object]:
    (one,) = told["dependencies"]
    return one


def test_up_starts_once_restarts_what_died_and_down_stops(clone: Clone) -> None:
    first = pages(clone.told("up"))
    assert (first["did"], first["health"], clone.answers()) == ("started", "healthy", True)
    again = pages(clone.told("up"))
    assert (again["did"], again["pid"]) == ("running", first["pid"])
    assert pages(clone.told("status"))["health"] == "healthy"

    os.killpg(int(str(first["pid"])), signal.SIGKILL)
    wait_until_gone(int(str(first["pid"])))
    assert pages(clone.told("status"))["health"] == "died"
    restarted = pages(clone.told("up"))
    assert (restarted["did"], clone.answers()) == ("restarted", True)
    assert restarted["pid"] != first["pid"]

    assert clone.told("down")["stopped"] == [{"name": "pages", "ended": "stopped"}]
    assert not clone.answers()
    assert pages(clone.told("status"))["health"] == "stopped"
    assert clone.told("down")["stopped"] == []
    assert clone.git("status", "--porcelain") == "", "git does not see what is kept here"


def wait_until_gone(pid: int) -> None:
    until = time.monotonic() + 20
    while any(one.group == pid for one in processes.everything()):
        assert time.monotonic() < until
        time.sleep(0.02)


def test_what_is_no_longer_declared_is_stopped(clone: Clone) -> None:
    clone.told("up")
    text = policy(clone.port).replace('name = "pages"', 'name = "files"')
    clone.commit({"envs/environments.toml": text})
    found = {one["name"]: one for one in clone.told("status")["dependencies"]}
    assert (found["files"]["health"], found["pages"]["declared"]) == ("stopped", False)
    assert pages(clone.told("up"))["name"] == "files", "its port was free again"
    assert [one["name"] for one in clone.told("status")["dependencies"]] == ["files"]


def test_dependencies_of_a_branch_are_started_once_they_were_read(clone: Clone) -> None:
    clone.git("switch", "--quiet", "--create", "change")
    mark = clone.top.parent / "ran"
    clone.commit({"envs/environments.toml": policy(clone.port, command=f"touch {mark}")})
    refusal = clone.refused("up")
    assert "are not those of main" in refusal.what
    assert refusal.next_step == "Read them, then run `towpath dev up --trust`."
    clone.run("up", "--trust")
    assert mark.exists()
    mark.unlink()
    clone.run("up")
    assert mark.exists(), "they were accepted, and have not changed since"
    clone.write({"envs/environments.toml": policy(clone.port, command=f"touch {mark} again")})
    clone.refused("up")


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("no-such-program", "`no-such-program`: it is not on path"),
        ("python3 -c 'print(6 * 7, flush=True); raise SystemExit(3)'", "It ended by itself: 42"),
    ],
)
def test_what_does_not_start_is_told(clone: Clone, command: str, told: str) -> None:
    clone.commit({"envs/environments.toml": policy(clone.port, command=command)})
    found = pages(clone.told("up"))
    assert found["did"] == "failed"
    assert told in str(found["message"])


def test_a_port_of_another_process_is_told(clone: Clone, tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "http.server", str(clone.port), "--bind", "127.0.0.1"]
    with subprocess.Popen(argv, cwd=tmp_path, stderr=subprocess.DEVNULL) as other:
        while not clone.answers():
            time.sleep(0.02)
        message = str(pages(clone.told("up"))["message"])
        other.kill()
    assert message.startswith(f"Port {clone.port} of `pages` is used by another process.")


def test_a_recycled_pid_is_not_killed(clone: Clone) -> None:
    clone.told("up")
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as stranger:
        record = clone.top / ".towpath" / "running" / "pages.json"
        content = json.loads(record.read_text())
        processes.stop(content["pid"], content["born"])
        record.write_text(json.dumps(content | {"pid": stranger.pid}))  # as if it had got the number
        assert clone.told("down")["stopped"] == [{"name": "pages", "ended": "gone"}]
        assert stranger.poll() is None
        stranger.kill()


def test_what_does_not_stop_when_asked_is_killed_with_its_children(tmp_path: Path) -> None:
    script = "trap '' TERM; (trap '' TERM; sleep 600) & echo ready; wait"
    pid, born = processes.start(["sh", "-c", script], tmp_path, dict(os.environ), tmp_path / "log")
    while "ready" not in (tmp_path / "log").read_text():
        time.sleep(0.01)
    assert processes.stop(pid, born, patience=0.3) is False
    assert not [one for one in processes.everything() if one.group == pid]
    assert processes.stop(pid, born) is None


def test_without_a_container_engine_the_way_out_is_told(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = clone.top.parent / "tools"
    tools.mkdir()
    for name in ("git", "python3", "terraform"):
        if found := next((p for p in os.environ["PATH"].split(":") if (Path(p) / name).exists()), ""):
            (tools / name).symlink_to(Path(found) / name)
    monkeypatch.setenv("PATH", str(tools))
    text = policy(clone.port)
    container = text.replace("needs = [{ ", 'needs = [{ container = "nginx:1", ')
    clone.commit({"envs/environments.toml": container})
    assert pages(clone.told("up"))["pid"], "it has a command, too"
    clone.told("down")
    only = f'[{{ name = "pages", container = "nginx:1", ports = [{clone.port}] }}]'
    lines = [f"needs = {only}" if line.startswith("needs") else line for line in text.splitlines()]
    clone.commit({"envs/environments.toml": "\n".join(lines)})
    message = str(pages(clone.told("up"))["message"])
    assert message == (
        "`pages` runs in a container, and neither docker nor podman is on PATH. Install or start Docker or Podman, or give "
        "it a `command` (or `wheel`) to use without one, in `envs/environments.toml`."
    )
    parts = {one["part"]: one for one in clone.told("doctor")["parts"]}
    assert not parts["pages"]["ok"]
    assert parts["engine"]["ok"]


def test_a_container_is_published_on_loopback_and_its_variables_are_not_arguments() -> None:
    argv = ContainerEngine("/usr/bin/podman").run_argv(
        "n", "postgres:16", ["15432:5432"], {"PASSWORD": "hidden"}
    )
    assert argv == [
        *("/usr/bin/podman", "run", "--detach", "--name", "n"),
        *("--publish", "127.0.0.1:15432:5432", "--env", "PASSWORD", "postgres:16"),
    ]
