"""Requests sent at their times from a process of its own, whatever their answers take, and what is kept of them."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import sqlalchemy as sa

from bot.playground.world import World

Load = Sequence[tuple[Mapping[str, str], bytes]]
"""Headers, signature and all, and bodies, in the order in which they are sent."""


@dataclass(frozen=True)
class Fired:
    """Seconds until each answer, the shortest first; wrong: how many were not 2xx."""

    times: list[float]
    wrong: int

    @property
    def p99(self) -> float:
        """Milliseconds."""
        return p99(self.times) * 1000

    @property
    def said(self) -> str:
        middle, longest = self.times[len(self.times) // 2] * 1000, self.times[-1] * 1000
        return f"{len(self.times)} answered, {self.wrong} not 2xx, median {middle:.1f} ms, longest {longest:.0f} ms"


def p99(times: Sequence[float]) -> float:
    """Of sorted ones."""
    return times[max(int(len(times) * 0.99) - 1, 0)]


def fire(url: str, load: Load, rate: float) -> Fired:
    """So many a second. Not in this process, where the stand-ins answer the bot and would hold the sender up."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as beside:
        return beside.submit(_fire, url, load, rate).result()


def _fire(url: str, load: Load, rate: float) -> Fired:
    times: list[float] = []
    wrong = 0
    guard = threading.Lock()
    # An idle connection is let go before the bot does it (uvicorn: 5 s): one that ends as it is taken up loses its word.
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64, keepalive_expiry=2.0)
    client = httpx.Client(timeout=30, limits=limits)

    def send(headers: Mapping[str, str], content: bytes) -> None:
        nonlocal wrong
        began = time.perf_counter()
        try:
            status = client.post(url, content=content, headers=headers).status_code
        except httpx.HTTPError:
            status = 0
        with guard:
            times.append(time.perf_counter() - began)
            wrong += not 200 <= status < 300

    start = time.perf_counter()
    with ThreadPoolExecutor(64) as pool:
        for turn, (headers, content) in enumerate(load):
            pause = start + turn / rate - time.perf_counter()
            if pause > 0:
                time.sleep(pause)
            pool.submit(send, headers, content)
    client.close()
    return Fired(sorted(times), wrong)


def kept(world: World, mark: str) -> int:
    """How many deliveries are in the inbox whose ids begin with `mark`."""
    address = (
        world.environment()["TOWPATH_DATABASE_URL"] or f"sqlite:///{world.directory / 'data' / 'inbox.db'}"
    )
    engine = sa.create_engine(address.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        found = connection.scalar(
            sa.text("SELECT count(*) FROM deliveries WHERE id LIKE :mark"), {"mark": f"{mark}%"}
        )
    engine.dispose()
    return int(found or 0)
