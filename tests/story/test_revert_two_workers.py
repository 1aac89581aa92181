"""Several workers on one Postgres: the one that carries out a revert dies (-9) and does not come back. Another takes its
work over: nothing is done twice, and the next command finishes the job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from bot.domain.run import unfinished
from bot.playground.bot_process import BotProcess, free_port
from bot.playground.world import World, until
from tests.fixtures.world import MakeWorld
from tests.story.going_back import A, GoingBack, at_each
from tests.story.holds import Holds
from tests.story.kills import Kills, Point
from tests.story.test_revert_crashes import interrupted, is_back, is_lifted
from tests.story.test_workers import silence, workers

PLANNED: list[Point] = [("after", r"INSERT INTO plans ")]
APPLIED: list[Point] = [
    ("after", r"INSERT INTO locks "),  # claimed, and nothing begun
    ("before", r"INSERT INTO releases "),  # Terraform has ended
    ("after", r"UPDATE releases SET verification="),  # the proof is next
]
HALF = {"web": "s"}
"""What the cloud has when the way back was killed in its middle."""
LIFTED: list[Point] = [("after", r"DELETE FROM holds ")]

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600), pytest.mark.long]


class Crew(GoingBack):
    """Workers that take what there is, any of which may die; webhooks and states have a process of their own.
    Three work at a time, since the one that takes over may be killed before the dead one's row is gone; of `count` in all,
    another one starts when one is buried."""

    def __init__(self, world: World, holds: Holds, kills: Kills, count: int) -> None:
        world.bot.kill()
        world.bot.arguments = ("web",)
        world.bot.start()
        self.crew: dict[str, BotProcess] = {}
        self._waiting = [f"worker-{number}" for number in range(count)]
        self.world, self.kills = world, kills
        for _ in range(3):
            self._hire()
        super().__init__(world, holds, kills)

    def _hire(self) -> None:
        """Another worker begins, if one is left."""
        if not self._waiting:
            return
        name = self._waiting.pop(0)
        environment = self.world.environment(
            port=free_port(),
            TOWPATH_PUBLIC_URL=self.world.bot.url,
            TOWPATH_WORKER_NAME=name,
            **self.kills.settings,
        )
        log = self.world.directory / f"{name}.log"
        self.crew[name] = BotProcess(environment, log, port=0, arguments=("worker",))
        self.world.bots.append(self.crew[name].start())
        until(lambda: name in workers(self.world), what=f"the first heartbeat of {name}")

    def killed_at(self, points: Sequence[Point], act: Callable[[], int], *clouds: Mapping[str, str]) -> int:
        """What `act` asks for is done by workers of which one dies at each of these points; the comment's id."""
        self.kills.at(*points[0])
        comment = act()
        for number, (point, cloud) in enumerate(zip(points, at_each(points, clouds), strict=True), 1):
            name = until(self._dead, what=f"a death {point}\n{self.runs()[-2:]}")
            assert self.cloud() == cloud, point
            if number < len(points):
                self.kills.at(*points[number])
            self.bury(name)
        return comment

    def _dead(self) -> str:
        return next((name for name, one in self.crew.items() if not one.alive), "")

    def bury(self, name: str) -> None:
        """It was silent for long enough, so that its work is another's."""
        del self.crew[name]
        if name in workers(self.world):  # else it was silent for long enough by itself
            silence(self.world, name)
        until(lambda: name not in workers(self.world), what=f"the end of {name}", patience=120.0)
        self._hire()


def test_each_dies_in_its_turn(
    make_world: MakeWorld, holds: Holds, tmp_path: Path, bot_postgres_url: str
) -> None:
    """In the middle of Terraform, and what was begun is told as interrupted; then wherever the way back is planned,
    applied and proven; and when its hold is lifted. The last worker is alone."""
    crew = Crew(make_world(database_url=bot_postgres_url), holds, Kills(tmp_path), 7)
    with crew.tables() as tables:
        first = tables.releases.newest(crew.target())
    assert first is not None
    crew.goes_on()
    crew.asks("/revert staging", "+1")
    crew.way_is_planned()
    words = interrupted(crew, killed_in_the_middle(crew))
    assert words == "/revert staging"
    crew.stands(HALF)

    crew.reacted(crew.number, crew.killed_at(PLANNED, lambda: crew.say(crew.number, words), HALF), "+1")
    assert crew.way_is_planned().reverts == first.id
    applies, serial = len(holds.calls("apply")), crew.state()[0].serial
    comment = crew.killed_at(APPLIED, lambda: crew.say(crew.number, words), HALF, A, A)
    crew.reacted(crew.number, comment, "rocket")
    assert "on hold at" in crew.sees(crew.number, "matches `")
    assert len(holds.calls("apply")) == applies + 1
    is_back(crew, serial + 1)

    is_lifted(crew, LIFTED)
    assert len(crew.crew) == 1


def killed_in_the_middle(crew: Crew) -> int:
    """The worker whose Terraform has just begun to change a thing; the comment's id."""
    cloud = crew.world.clouds["staging"]
    cloud.faults({"update:playground_server.web": 4})
    comment = crew.say(crew.number, "/revert staging")
    until(
        lambda: unfinished(crew.awaits("apply", "applying").progress) == ["playground_server.web"],
        what="the middle of the apply",
    )
    name = crew.runs("apply")[-1].worker
    crew.crew[name].kill()
    crew.bury(name)
    cloud.faults({})
    return comment
