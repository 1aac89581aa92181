"""A story in which the world can change behind Terraform's back, and a clock that says when it is looked at."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.drift.model import Drift
from bot.domain.lock import Lock
from bot.domain.run import Run
from bot.playground import sample
from bot.playground.world import World, until
from bot.services.context import Context
from bot.services.drift.request import schedule_drift_checks
from bot.settings import Settings
from bot.wiring import Bot
from tests.story.holds import Holds
from tests.story.story import Story

EVERY = timedelta(minutes=5)
SERVER = """
resource "playground_server" "web" {
  name           = "web"
  size           = "SIZE"
  image          = "debian-12"
  region         = "eu"
  user_data      = "none"
  create_seconds = 0
}
"""
POLICY = """[stack.infra]
root = "infra"
[env.staging]
"""


class Drifting(Story):
    """One server in staging's cloud. every: how often the bot's clock looks for drift; never, if it is empty."""

    def __init__(self, world: World, holds: Holds, *, every: str = "") -> None:
        self._main = sample.files()["infra/main.tf"].decode()
        files = {
            "infra/main.tf": self.main("s"),
            "infra/.terraform.lock.hcl": sample.files()["infra/.terraform.lock.hcl"],
            "envs/environments.toml": (POLICY + f'drift = "{every}"\n' * bool(every)).encode(),
        }
        super().__init__(world, "acme/cloud", files, holds=holds)

    def main(self, size: str) -> bytes:
        return (self._main + SERVER.replace("SIZE", size)).encode()

    def released(self, size: str = "m") -> int:
        """A pull request with that size that was applied; its number."""
        number = self.propose({"infra/main.tf": self.main(size)})
        self.planned(number)
        self.applied(number)
        return number

    def closed(self, number: int) -> None:
        """Without a merge: its lock is free then."""
        self.github.close_pull(self.repository, number, actor="ann")
        until(lambda: self._lock() is None, what="the free lock")

    def _lock(self) -> Lock | None:
        with self.tables() as tables:
            return tables.locks.get(self.target())

    def resize(self, size: str) -> None:
        """Somebody does it in the cloud's own console."""
        cloud = self.world.clouds["staging"]
        ((key, server),) = cloud.things("server").items()
        cloud.put("server", key, server | {"size": size})

    def looks(self) -> list[Run]:
        return self.runs("drift")

    def findings(self) -> list[Drift]:
        """Oldest first."""
        with self.tables() as tables:
            return tables.drifts.of_target(self.target(), 100)[::-1]

    def asks(self, number: int, text: str) -> str:
        """`/drift staging`, and the answer that has `text` in it, which must be new."""
        before = len(self.answers(number))
        self.reacted(number, self.say(number, "/drift staging"), "+1")
        (said,) = until(lambda: self.answers(number)[before:], what="the answer")
        assert text in said, said
        return said

    def channel(self, text: str) -> list[str]:
        """What Slack's channel has with `text` in it."""
        messages = self.world.slack.messages("#infra")
        found = [f"{one.text} {json.dumps(one.blocks, ensure_ascii=False)}" for one in messages]
        return [one for one in found if re.search(text, one)]


class Rounds:
    """The bot's schedule in this process: each `turn` comes one round after the one before."""

    def __init__(self, context: Context) -> None:
        self._context, self._at = context, datetime.now(UTC)

    def turn(self) -> int:
        """How many looks it has begun."""
        self._at += EVERY
        return schedule_drift_checks(replace(self._context, now=lambda: self._at))

    def again(self) -> int:
        """A second clock, at the same moment."""
        return schedule_drift_checks(replace(self._context, now=lambda: self._at))


@contextmanager
def rounds(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rounds]:
    """The schedule of a `towpath clock` beside the bot."""
    for name, value in world.environment(TOWPATH_WORKER_NAME="clock").items():
        monkeypatch.setenv(name, value)
    bot = Bot(Settings())
    try:
        context = bot.context
        bot.work.connect()
        yield Rounds(context)
    finally:
        bot.forge.close()
        bot.rest()
        bot.close()
