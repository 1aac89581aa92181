"""Plays chapters, each in a world of its own."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bot.playground.tour.databases import fresh
from bot.playground.tour.narrator import Narrator
from bot.playground.tour.registry import Chapter
from bot.playground.tour.story import PATIENCE, Step, Story
from bot.playground.world import World


@dataclass(frozen=True)
class Played:
    """How a chapter went. It ends at the first step that is not as told."""

    name: str
    ok: bool
    seconds: float
    steps: tuple[Step, ...]


def play(
    chapters: Sequence[Chapter], narrator: Narrator, *, database_url: str = "", patience: float = PATIENCE
) -> list[Played]:
    """Play the chapters in order, all of them whatever happens. `database_url`: of a Postgres that may be used; each
    chapter gets a database of its own beside it. Empty: SQLite. Raises UserError where that is not possible."""
    directory = Path(tempfile.mkdtemp(prefix="towpath-tour-"))
    try:
        return [
            _one(chapter, directory / chapter.name, narrator, database_url, patience) for chapter in chapters
        ]
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _one(chapter: Chapter, directory: Path, narrator: Narrator, database_url: str, patience: float) -> Played:
    began = time.monotonic()
    narrator.chapter(chapter.name, chapter.title)
    with fresh(database_url) as url:
        world = World(directory, database_url=url)
        story = Story(world, narrator, patience)
        try:
            with story.step("The bot, GitHub, Slack and the clouds are there"):
                world.start()
            chapter.tell(story)
        except Exception:
            if not story.steps or story.steps[-1].ok:
                raise  # outside all steps: a mistake in the chapter itself
        finally:
            world.stop()
    steps = tuple(story.steps)
    return Played(chapter.name, all(step.ok for step in steps), round(time.monotonic() - began, 2), steps)


def report(played: Sequence[Played]) -> dict[str, Any]:
    """What `--json` prints."""
    return {"ok": all(one.ok for one in played), "chapters": [asdict(one) for one in played]}
