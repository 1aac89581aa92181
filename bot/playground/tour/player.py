"""Plays chapters, each in a world of its own."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypedDict

from bot.errors import UserError
from bot.playground.postgres import NoPostgres
from bot.playground.shop import ShopDatabases, running_shop
from bot.playground.tour.narrator import Narrator
from bot.playground.tour.registry import Chapter
from bot.playground.tour.story import PATIENCE, Step, Story
from bot.playground.tour.temporary_database import temporary_database
from bot.playground.world import REPOSITORY, World


@dataclass(frozen=True)
class ChapterResult:
    """How a chapter went. It ends at the first step that fails."""

    name: str
    ok: bool
    seconds: float
    steps: tuple[Step, ...]


class Report(TypedDict):
    """The output of `towpath tour --json`. chapters: ChapterResults as dictionaries."""

    ok: bool
    chapters: list[dict[str, Any]]


def play(
    chapters: Sequence[Chapter], narrator: Narrator, *, database_url: str = "", patience: float = PATIENCE
) -> list[ChapterResult]:
    """Play all chapters in order, even if some fail.

    database_url: a Postgres server on which each chapter gets a database of its own, or empty for SQLite. patience:
    seconds to wait for anything expected. Raises UserError if a database cannot be created.
    """
    directory = Path(tempfile.mkdtemp(prefix="towpath-tour-"))
    try:
        return [
            _play_one(chapter, directory / chapter.name, narrator, database_url, patience)
            for chapter in chapters
        ]
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _play_one(
    chapter: Chapter, directory: Path, narrator: Narrator, database_url: str, patience: float
) -> ChapterResult:
    began = time.monotonic()
    narrator.chapter(chapter.name, chapter.title)
    with ExitStack() as stack:
        url = stack.enter_context(temporary_database(database_url))
        shop = stack.enter_context(_shop(chapter.name)) if chapter.shop else None
        world = World(directory, database_url=url, shop=shop)
        story = Story(world, narrator, patience)
        try:
            with story.step("The bot, GitHub, Slack and the clouds start"):
                world.start()
            chapter.play(story)
        except Exception:
            if not story.steps or story.steps[-1].ok:
                raise  # not in a step: a bug in the chapter itself
        finally:
            world.stop()
    steps = tuple(story.steps)
    seconds = round(time.monotonic() - began, 2)
    return ChapterResult(chapter.name, all(step.ok for step in steps), seconds, steps)


@contextmanager
def _shop(chapter: str) -> Iterator[ShopDatabases]:
    """Start the shop's databases. Raises UserError where no Postgres can be started."""
    try:
        with running_shop(REPOSITORY) as shop:
            yield shop
    except NoPostgres as error:
        raise UserError(
            f"The chapter `{chapter}` needs Postgres: {error}.", next_step="pip install 'towpath[demo]'"
        ) from None


def report(results: Sequence[ChapterResult]) -> Report:
    """Return what `--json` prints."""
    return {"ok": all(one.ok for one in results), "chapters": [asdict(one) for one in results]}
