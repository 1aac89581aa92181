"""A story with two releases in a pretended cloud: A, and B that is to be taken back; and what must hold whenever the
bot was killed between them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from bot.audit.verification import verify
from bot.domain.run import Run
from bot.domain.states.model import StateVersion
from bot.playground import sample
from bot.playground.world import World, until
from tests.story.drifts import SERVER
from tests.story.holds import Holds
from tests.story.kills import Kills, Point
from tests.story.production import CHECK
from tests.story.story import Story

POLICY = """[stack.infra]
root = "infra"
[env.staging]
force = { users = ["bob"] }
smoke = [{ command = "/bin/sh 'CHECK'", within = "60s", timeout = "60s" }]
"""
BUCKET = """[stack.infra.backend]
kind = "s3"
bucket = "NAME"
"""
OLD = (
    SERVER.replace('"web"', '"old"')
    .replace("SIZE", "s")
    .replace("{", "{\n  depends_on = [playground_server.web]", 1)
)
A = {"web": "s", "old": "s"}
B = {"web": "m"}
"""The cloud's servers by name, with their size. On the way back one is changed and one is made."""


class GoingBack(Story):
    """One pull request; `holds.hold("smoke")` holds staging's smoke check. bucket: the name of one that has the state."""

    def __init__(self, world: World, holds: Holds, kills: Kills, *, bucket: str = "") -> None:
        self.kills = kills
        script = holds.directory / "check"
        script.write_text(CHECK.format(directory=holds.directory))
        files = {
            "infra/main.tf": configured("s", OLD),
            "infra/.terraform.lock.hcl": sample.files()["infra/.terraform.lock.hcl"],
            "envs/environments.toml": (POLICY + BUCKET.replace("NAME", bucket) * bool(bucket))
            .replace("CHECK", str(script))
            .encode(),
        }
        super().__init__(world, "acme/back", files, holds=holds)
        self.number = self.propose({"infra/main.tf": configured("s", OLD) + b"\n"})
        self.planned(self.number)
        self.applied(self.number)
        self.stands(A)

    def proposes(self, main: bytes) -> None:
        """Pushed, and planned."""
        self.push({"infra/main.tf": main}, "ann/change-1")
        until(lambda: self.plan_is_fresh(self.number), what="the head's plan")

    def goes_on(self) -> None:
        """B is applied."""
        self.proposes(configured("m"))
        self.asks("/apply staging", "rocket")
        self.stands(B)

    def asks(self, text: str, reaction: str, author: str = "ann") -> None:
        """A command, until the bot's reaction to it is that one."""
        self.reacted(self.number, self.say(self.number, text, author), reaction)

    def way_is_planned(self) -> Run:
        """The plan of the way back, once it is shown and can be applied."""

        def look() -> Run | None:
            run = self.runs("plan", self.number)[-1]
            with self.tables() as tables:
                plan = tables.plans.get(run.id)
            return run if plan is not None and plan.reverts and plan.status == "fresh" else None

        found = until(look, what="a plan of the way back")
        assert found is not None
        self.shown(found.id)
        return found

    def killed_at(self, points: Sequence[Point], act: Callable[[], int], *clouds: Mapping[str, str]) -> int:
        """What `act` asks for is done by a bot that dies at each of these points, in their order, and is started again
        each time; the comment's id. clouds: what the cloud has at each death, or (one) at all of them."""
        self.kills.at(*points[0])
        comment = act()
        for point, following, cloud in zip_longest(points, points[1:], at_each(points, clouds)):
            self.kills.await_death(self.world, f"{point}")
            assert self.cloud() == cloud, point
            if following:
                self.kills.at(*following)
            self.world.bot.start()
        return comment

    def answer(self, text: str) -> str:
        """The one answer with this text."""
        self.is_told(self.number, text)
        (found,) = [one for one in self.answers(self.number) if text in one]
        return found

    def cloud(self) -> dict[str, str]:
        servers = self.world.clouds["staging"].things("server")
        return {one["name"]: one["size"] for one in servers.values()}

    def state(self) -> tuple[StateVersion, dict[str, Any]]:
        with self.tables() as tables:
            found = tables.states.current(self.target().key)
        assert found is not None
        return found[0], json.loads(found[1])

    def stands(self, world: dict[str, str]) -> None:
        """This is what the cloud has, and no object of it is unknown to the state, nor the other way round."""
        assert self.cloud() == world, (self.cloud(), world)
        resources = [one for one in self.state()[1]["resources"] if one["mode"] == "managed"]
        known = {instance["attributes"]["id"] for one in resources for instance in one["instances"]}
        assert known == set(self.world.clouds["staging"].things("server"))

    def is_sound(self) -> None:
        """Besides: one status comment, each command answered once, serials that rise by one lineage's rules, each apply
        begun once, and an unbroken record."""
        super().is_sound()
        assert self.status(self.number)
        with self.tables() as tables:
            versions = tables.states.versions(self.target().key, 100)
            entries = list(tables.audit.entries())
        serials = [one.serial for one in versions]
        assert serials == sorted(set(serials), reverse=True), serials
        assert len({one.lineage for one in versions}) == 1
        assert verify(entries).ok
        begun = [one.run_id for one in entries if one.action == "apply.started"]
        assert len(begun) == len(set(begun))
        assert len(self.holds.calls("apply")) <= len(begun)


def at_each(points: Sequence[Point], clouds: Sequence[Mapping[str, str]]) -> Sequence[Mapping[str, str]]:
    """One for each point."""
    return clouds if len(clouds) == len(points) else [*clouds] * len(points)


def configured(size: str, more: str = "") -> bytes:
    return sample.files()["infra/main.tf"] + (SERVER.replace("SIZE", size) + more).encode()
