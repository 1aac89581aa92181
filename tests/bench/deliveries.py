"""A hundred deliveries a second for thirty seconds: each answered, none lost, none doubled."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from bot.playground.world import World, until
from tests.bench.report import Figure

RATE = 100
LASTING = 30


def run(directory: Path, database: str, url: str, engine: str) -> list[Figure]:
    """Signed `/help` comments of people on one pull request: each is understood and gets its reaction and answer later."""
    with World(directory / "world", database_url=url) as world:
        number = world.propose("bigger-web")
        until(lambda: "`/apply staging`" in world.status(number), what="a plan")
        environment = world.environment()
        times, wrong = fire(world.bot.url, environment["TOWPATH_GITHUB_WEBHOOK_SECRET"], world, number)
        kept = len(times)
        accepted = count(world)
    times.sort()
    p99 = times[int(len(times) * 0.99) - 1] * 1000
    lost = RATE * LASTING - accepted
    return [
        Figure(
            "100 deliveries/s, p99",
            database,
            p99,
            100,
            "ms",
            f"{kept} answered, {wrong} not 2xx, median {times[len(times) // 2] * 1000:.1f} ms",
        ),
        Figure(
            "deliveries lost or doubled",
            database,
            abs(lost) + wrong,
            0,
            "",
            f"{accepted} kept of {RATE * LASTING}",
        ),
    ]


def fire(url: str, secret: str, world: World, number: int) -> tuple[list[float], int]:
    """Send them at their times, whatever the answers take; seconds of each, and how many were not 2xx."""
    times: list[float] = []
    wrong = 0
    guard = threading.Lock()
    client = httpx.Client(timeout=30, limits=httpx.Limits(max_connections=64, max_keepalive_connections=64))
    payload = body(world, number)

    def send(turn: int) -> None:
        nonlocal wrong
        content = payload.replace(b'"id": 4242', b'"id": %d' % (100_000 + turn))
        signature = "sha256=" + hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
        headers = {
            "X-GitHub-Event": "issue_comment",
            "X-GitHub-Delivery": f"bench-{uuid.uuid4()}",
            "X-Hub-Signature-256": signature,
            "Content-Type": "application/json",
        }
        began = time.perf_counter()
        status = client.post(f"{url}/github/webhook", content=content, headers=headers).status_code
        with guard:
            times.append(time.perf_counter() - began)
            wrong += not 200 <= status < 300

    start = time.perf_counter()
    with ThreadPoolExecutor(64) as pool:
        for turn in range(RATE * LASTING):
            pause = start + turn / RATE - time.perf_counter()
            if pause > 0:
                time.sleep(pause)
            pool.submit(send, turn)
    client.close()
    return times, wrong


def body(world: World, number: int) -> bytes:
    """A comment's payload as the stand-in sends them, with an id to be replaced."""
    before = len(world.github.webhooks.log)
    world.say(number, "a plain word", author="bob")
    world.github.webhooks.drain()
    sent = [one for one in list(world.github.webhooks.log)[before:] if one.event == "issue_comment"]
    payload = json.loads(sent[-1].body)
    payload["comment"]["id"] = 4242
    return json.dumps(payload).encode()


def count(world: World) -> int:
    """How many of them are in the inbox."""
    import sqlalchemy as sa

    address = (
        world.environment()["TOWPATH_DATABASE_URL"] or f"sqlite:///{world.directory / 'data' / 'inbox.db'}"
    )
    engine = sa.create_engine(address.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        return int(connection.scalar(sa.text("SELECT count(*) FROM deliveries WHERE id LIKE 'bench-%'")) or 0)
