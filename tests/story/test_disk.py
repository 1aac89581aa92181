"""A disk without room."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.world import MakeWorld
from tests.story.holds import Holds
from tests.story.story import Story


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MB in memory, for the data directory."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    place = tmp_path / "small"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no small disk can be mounted: {made.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.postgres
def test_a_full_disk(small_disk: Path, make_world: MakeWorld, holds: Holds, bot_postgres_url: str) -> None:
    """The disk is full when the plan is to be written: people are told, and it works again when there is room."""
    world = make_world(database_url=bot_postgres_url, settings={"TOWPATH_DATA_DIR": str(small_disk / "data")})
    story = Story(world, holds=holds)
    first = story.propose("medium")
    story.planned(first)
    holds.hold("plan")
    number = story.propose("large", author="bob")
    holds.await_call("plan", 2)
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as full:
        while True:
            try:
                full.write(b"\0" * 4096)
            except OSError:
                break
    holds.release("plan")
    run = story.ended("plan", "failed")
    assert "no space left on device" in run.message.lower()
    story.sees(number, "failed")
    with story.tables() as tables:
        assert tables.plans.newest(story.target(), number) is None
    filler.unlink()
    story.reacted(number, story.say(number, "/plan staging", "bob"), "+1")
    story.planned(number)
    story.applied(number)
    story.is_sound()
    assert world.bot.alive
