"""The list of chapters. Each file in `chapters` registers one with the decorator below."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.domain.suggest import did_you_mean
from bot.errors import UserError
from bot.playground.tour.story import Story

Play = Callable[[Story], None]

CHAPTERS = Path(__file__).with_name("chapters")


@dataclass(frozen=True)
class Chapter:
    """One scenario. order: its position in the tour. play: plays it, and raises at the first unmet expectation. shop:
    whether its world has the shop's databases."""

    name: str
    title: str
    order: int
    play: Play
    shop: bool = False


_chapters: dict[str, Chapter] = {}


def chapter(name: str, title: str, *, order: int, shop: bool = False) -> Callable[[Play], Play]:
    """Register a function `(story) -> None` as a chapter. Raises ValueError if the name is taken."""

    def register(play: Play) -> Play:
        if name in _chapters:
            raise ValueError(f"two chapters are called {name}")
        _chapters[name] = Chapter(name, title, order, play, shop)
        return play

    return register


def load() -> dict[str, Chapter]:
    """Import all chapters and return them by name, in order."""
    for module in pkgutil.iter_modules([str(CHAPTERS)]):
        importlib.import_module(f"bot.playground.tour.chapters.{module.name}")
    return {one.name: one for one in sorted(_chapters.values(), key=lambda one: one.order)}


def select(names: list[str]) -> list[Chapter]:
    """Return the chapters with these names, or all of them. Raises UserError for an unknown name."""
    known = load()
    for name in names:
        if name not in known:
            guess = did_you_mean(name, known)
            raise UserError(
                f"There is no chapter `{name}`.",
                next_step=f"Did you mean `{guess}`?" if guess else f"Choose one of {', '.join(known)}.",
            )
    return [known[name] for name in dict.fromkeys(names)] or list(known.values())
