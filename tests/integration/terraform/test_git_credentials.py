"""git, with the environment that init gets, against a real server."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bot.domain.ports.terraform import GitAccess, WorkDir
from bot.terraform.cli.env import Environment

Requests = list[tuple[str, str | None]]


@pytest.fixture
def server() -> Iterator[tuple[str, Requests]]:
    requests: Requests = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append((self.path.split("?")[0], self.headers.get("Authorization")))
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}/", requests
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.mark.parametrize("address", ["{}acme/module.git", "git@127.0.0.1:acme/module.git"])
def test_one_host_gets_them_by_https_and_by_what_was_ssh(
    server: tuple[str, Requests], tmp_path: Path, address: str
) -> None:
    prefix, requests = server
    place = WorkDir(tmp_path, git_access=GitAccess(prefix, "x-access-token", "word"))
    env = Environment({"PATH": os.environ["PATH"]}, tmp_path).for_init(place, {})
    subprocess.run(["git", "ls-remote", address.format(prefix)], env=env, capture_output=True, check=False)
    assert requests == [("/acme/module.git/info/refs", "Basic eC1hY2Nlc3MtdG9rZW46d29yZA==")]


def test_no_other_host_gets_them(server: tuple[str, Requests], tmp_path: Path) -> None:
    prefix, requests = server
    place = WorkDir(tmp_path, git_access=GitAccess("https://git.example.com/", "x-access-token", "word"))
    env = Environment({"PATH": os.environ["PATH"]}, tmp_path).for_init(place, {})
    subprocess.run(["git", "ls-remote", f"{prefix}x.git"], env=env, capture_output=True, check=False)
    assert requests == [("/x.git/info/refs", None)]
