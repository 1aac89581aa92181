"""Requests that are begun and never ended, and bodies that nobody signed."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import IO

import httpx
import pytest

from bot.github.webhook import sign
from bot.playground.bot_process import BotProcess, Running
from bot.playground.loopback import no_authorities
from bot.playground.world import World
from tests.fixtures.world import MakeWorld
from tests.story.holds import Holds
from tests.story.story import Story

HALF_SENT = 1500
BODIES = 16
LARGE = 24 * 1024 * 1024
FORGED = f"X-Hub-Signature-256: sha256={'0' * 64}\r\n"
STARTS = (
    "",
    "POST /github/webhook HTTP/1.1\r\nHost: bot\r\nX-More: ",
    f"POST /github/webhook HTTP/1.1\r\nHost: bot\r\n{FORGED}Content-Length: 1000\r\n\r\n{{",
    "POST /slack/events HTTP/1.1\r\nHost: bot\r\nContent-Length: 1000\r\n\r\n{",
    'POST /state/login HTTP/1.1\r\nHost: bot\r\nAuthorization: Bearer x\r\nContent-Length: 100\r\n\r\n{"',
)
"""Of requests that are not continued."""
PLATFORM = 10.0
"""Seconds that GitHub waits for the answer to a webhook."""


@pytest.fixture
def _files() -> Iterator[None]:
    """More open files for the attacker than the bot has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2 * HALF_SENT:
        pytest.skip(f"only {hard} open files are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (2 * HALF_SENT, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def _usual_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bots start with the usual limit of 1,024 open files, which they cannot raise."""

    def launch(arguments: Sequence[str], environment: Mapping[str, str], log: IO[bytes]) -> Running:
        return subprocess.Popen(
            ["/bin/sh", "-c", 'ulimit -n 1024 && exec "$@"', "sh", sys.executable, "-m", "bot", *arguments],
            env=dict(environment) | {"PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    monkeypatch.setattr(BotProcess, "launch", staticmethod(launch))


@pytest.mark.usefixtures("_files", "_usual_limit")
def test_webhooks_are_answered_meanwhile(make_world: MakeWorld, holds: Holds) -> None:
    world: World = make_world()
    story = Story(world, holds=holds)
    with Attack(world.bot.port) as attack:
        attack.hold(HALF_SENT)
        attack.flood(BODIES)
        for number in range(20):
            attack.hold(25)
            assert deliver(world, {"zen": "Keep it simple."}, "ping", f"ping-{number}") == (200, "pong\n")
        proposed = story.propose()  # GitHub's stand-in delivers the webhook
        story.planned(proposed)
        story.applied(proposed)  # Terraform writes the state through the same server
        attack.wait_for_bodies()
        assert deliver(world, {"zen": "Keep it simple."}, "ping", "after") == (200, "pong\n")
    story.is_sound()


def deliver(world: World, payload: Mapping[str, object], event: str, delivery: str) -> tuple[int, str]:
    """Send a signed webhook as GitHub does, and wait for the answer as long as GitHub does."""
    body = json.dumps(payload).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": sign(world.environment()["TOWPATH_GITHUB_WEBHOOK_SECRET"], body),
    }
    with httpx.Client(timeout=PLATFORM, verify=no_authorities(), trust_env=False) as client:
        answer = client.post(f"{world.bot.url}/github/webhook", content=body, headers=headers)
    return answer.status_code, answer.text


class Attack:
    """Connections to the bot's port, kept open until the end."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Attack:
        return self

    def __exit__(self, *_error: object) -> None:
        for one in self._open:
            one.close()
        self.wait_for_bodies()

    def hold(self, count: int) -> None:
        """Open connections, and begin a request on each."""
        for number in range(count):
            with suppress(OSError):  # the bot may be out of room, which is what is wanted
                one = socket.create_connection(("127.0.0.1", self._port), timeout=1)
                self._open.append(one)
                one.sendall(STARTS[number % len(STARTS)].encode())

    def flood(self, count: int) -> None:
        """Send large bodies at the same time, each with a signature that is none, and without its last byte."""
        self._threads = [threading.Thread(target=self._send_body, args=(number,)) for number in range(count)]
        for thread in self._threads:
            thread.start()

    def wait_for_bodies(self) -> None:
        for thread in self._threads:
            thread.join()

    def _send_body(self, number: int) -> None:
        signature = FORGED if number % 4 else ""
        head = f"POST /github/webhook HTTP/1.1\r\nHost: bot\r\n{signature}Content-Length: {LARGE}\r\n\r\n"
        with suppress(OSError):
            one = socket.create_connection(("127.0.0.1", self._port), timeout=20)
            self._open.append(one)
            one.sendall(head.encode())
            one.sendall(b"x" * (LARGE - 1))
