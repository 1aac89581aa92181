"""A hundred deliveries a second for thirty seconds: each answered, none lost, none doubled."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.playground.world import World, until
from tests.bench.firing import fire, kept
from tests.bench.report import Figure

RATE = 100
LASTING = 30
TENTH = 10
"""Of a busy organisation's deliveries, every tenth asks for something."""
PULLS = 5


def run(directory: Path, database: str, url: str, engine: str) -> list[Figure]:
    """Signed words of people that ask for nothing; then the same with `/help` and pushes on several pull requests in
    between, each of which is worked through, and answered, while the others come in."""
    with World(directory / "world", database_url=url) as world:
        numbers = [world.propose("bigger-web", branch=f"ann/{turn}") for turn in range(PULLS)]
        until(lambda: all("`/apply staging`" in world.status(number) for number in numbers), what="plans")
        kinds = Kinds(world, numbers)
        world.github.webhooks.hold()  # what is said from here on comes from us alone
        words = [kinds.word(turn) for turn in range(RATE * LASTING)]
        asked = range(0, RATE * LASTING, TENTH)
        mixed = [kinds.asking(turn) if turn in asked else kinds.word(turn) for turn in range(RATE * LASTING)]
        return [
            *figures(world, database, "plain", words),
            *figures(world, database, "mixed", mixed),
            answers(world, database, numbers, sum(b'"/help"' in body for _event, body in mixed)),
        ]


class Kinds:
    """Payloads as the stand-in made them, with ids of their own."""

    def __init__(self, world: World, numbers: Sequence[int]) -> None:
        self._world, self._numbers = world, numbers
        for number in numbers:
            world.say(number, "a plain word", author="bob")
        world.github.webhooks.drain()
        self._comments: dict[int, Any] = {}
        self._pulls: dict[int, Any] = {}
        for one in world.github.webhooks.log:
            payload = json.loads(one.body)
            if one.event == "issue_comment" and payload["comment"]["body"] == "a plain word":
                self._comments[payload["issue"]["number"]] = payload
            elif one.event == "pull_request":
                self._pulls[payload["number"]] = payload

    def word(self, turn: int) -> tuple[str, bytes]:
        return self._comment(self._numbers[turn % PULLS], 100_000 + turn, "a plain word")

    def asking(self, turn: int) -> tuple[str, bytes]:
        """A push that changed nothing (GitHub tells the same of one in several events), or a command."""
        which, kind = divmod(turn // TENTH, 3)
        number = self._numbers[which % PULLS]
        if kind == 0:
            return "pull_request", json.dumps(self._pulls[number] | {"action": "synchronize"}).encode()
        return self._comment(number, self._world.say(number, "/help", author="bob"), "/help")

    def _comment(self, number: int, comment: int, text: str) -> tuple[str, bytes]:
        payload = self._comments[number]
        said = payload["comment"] | {"id": comment, "body": text}
        return "issue_comment", json.dumps(payload | {"comment": said}).encode()


def figures(world: World, database: str, name: str, words: Sequence[tuple[str, bytes]]) -> list[Figure]:
    """How long they were waited for, and how many of them are not kept, kept twice, or not answered with 2xx."""
    mark = f"bench-{name}"
    secret = world.environment()["TOWPATH_GITHUB_WEBHOOK_SECRET"]
    load = [(headers(secret, mark, event, body), body) for event, body in words]
    fired = fire(f"{world.bot.url}/github/webhook", load, RATE)
    have = kept(world, f"{mark}-")
    return [
        Figure(f"100 {name} deliveries/s, p99", database, fired.p99, 100, "ms", fired.said),
        Figure(
            "deliveries lost or doubled",
            database,
            abs(len(load) - have) + fired.wrong,
            0,
            "",
            f"{have} kept of {len(load)}",
        ),
    ]


def headers(secret: str, mark: str, event: str, body: bytes) -> dict[str, str]:
    """GitHub's, with a new delivery's id that begins with `mark`."""
    return {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": f"{mark}-{uuid.uuid4()}",
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
        "Content-Type": "application/json",
    }


def answers(world: World, database: str, numbers: Sequence[int], asked: int) -> Figure:
    """How many commands have no answer in the end, or several."""

    def answered() -> int:
        return sum(len(world.comments(number)) - 1 for number in numbers)  # one is the status comment

    began = time.perf_counter()
    while answered() < asked and time.perf_counter() - began < 60:
        time.sleep(0.5)
    waited = time.perf_counter() - began
    return Figure(
        "commands lost or doubled",
        database,
        abs(asked - answered()),
        0,
        "",
        f"{answered()} answers to {asked}, the last {waited:.0f} s after the load",
    )
