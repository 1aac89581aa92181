"""Running worlds that stories use one after the other, so that no bot is started for each of them.

A story finds its world like new: a repository of its own (`Story` names it), an empty page in Slack, empty clouds, no
teams, no failure on order. At its end all of its work is waited for. A world that does not come to rest, or in which a
story failed, is not used again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from bot.playground.world import World, until
from bot.storage.database import Database
from bot.storage.tables import surfaces
from bot.vault import Vault
from tests.story.holds import Holds

STORIES = 20
"""In one world: the pull requests of earlier ones stay open there, and cost the bot's clock a little."""
ALIVE = 2
"""Worlds with different settings that are kept running."""
REST = 20.0
"""Seconds until all of a story's work has ended."""
_UNDER_WAY = "SELECT count(*) FROM workflow_status WHERE status IN ('PENDING', 'ENQUEUED', 'DELAYED')"
"""DBOS's own table: deliveries and runs."""


class SharedWorld(World):
    """On SQLite. `database` is the bot's, to read, and stays open."""

    database: Database
    stories = 0
    _pid = 0

    def start(self) -> SharedWorld:
        super().start()
        self._pid = self.bot.pid
        environment = self.environment()
        url = f"sqlite:///{environment['TOWPATH_DATA_DIR']}/towpath.db"
        self.database = Database(url, Vault(environment["TOWPATH_SECRET_KEY"]))
        return self

    def stop(self) -> None:
        self.database.close()
        self.bot.kill()  # to be told to stop, and to stop, takes it seconds
        super().stop()

    def vacant(self, repository: str) -> str:
        """This name, or with a number behind it, of a repository that is not there yet."""
        number, name = 1, repository
        while name.lower() in self.github.state.repos:
            number += 1
            name = f"{repository}-{number}"
        return name

    def begin(self) -> None:
        """Look like new."""
        self.stories += 1
        self.slack.turn_page()
        for cloud in self.clouds.values():
            cloud.clear()
        for org, slug in [(team.org.login, team.slug) for team in self.github.state.teams.values()]:
            self.github.delete_team(org, slug)

    def rest(self) -> None:
        """Until nothing is under way. Raises AssertionError where that takes too long, or the bot is another one."""
        assert self.bot.alive, "a story that kills the bot needs `own_world`"
        assert self.bot.pid == self._pid, "a story that starts the bot again needs `own_world`"
        self.github.faults.clear()
        self.slack.faults.clear()
        self.github.webhooks.release()
        until(self._is_at_rest, what=f"the end of a story's work\n{self.bot.tail()}", patience=REST)

    def _is_at_rest(self) -> bool:
        if not self.github.webhooks.drain(1.0):
            return False
        shown = sa.select(sa.func.count()).select_from(surfaces)
        due = surfaces.c.due_at <= datetime.now(UTC) + timedelta(seconds=1)
        with self.database.read() as tables:
            work = tables.connection.scalar(sa.text(_UNDER_WAY))
            left = tables.connection.scalar(shown.where(due | surfaces.c.claimed_until.is_not(None)))
        return not work and not left


class SharedWorlds:
    """Those of this process. make: starts one, with more of the bot's settings."""

    def __init__(self, make: Callable[[Mapping[str, str]], SharedWorld], holds: Holds) -> None:
        self._make, self._holds = make, holds
        self._running: dict[frozenset[tuple[str, str]], SharedWorld] = {}

    @contextmanager
    def lent(self, settings: Mapping[str, str], failed: Callable[[], bool]) -> Iterator[SharedWorld]:
        """One with these settings, for one story. failed: whether that failed, asked at its end."""
        key = frozenset(settings.items())
        world = self._running.pop(key, None) or self._make(settings)
        self._running[key] = world  # as the newest
        for old in list(self._running)[:-ALIVE]:
            self._running.pop(old).stop()
        world.begin()
        yield world
        self._holds.clear()
        used_up = True
        try:
            if not failed():
                world.rest()
                used_up = world.stories >= STORIES
        finally:
            if used_up:
                self._running.pop(key).stop()

    def stop(self) -> None:
        for world in self._running.values():
            world.stop()
        self._running.clear()
