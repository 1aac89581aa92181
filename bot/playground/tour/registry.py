"""The list of chapters: each file in `chapters` registers one with the decorator below."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from bot.domain.suggest import did_you_mean
from bot.errors import UserError
from bot.playground.tour import chapters
from bot.playground.tour.story import Story

Tale = Callable[[Story], None]


@dataclass(frozen=True)
class Chapter:
    """One story. `place` orders the chapters; `tell` plays it and raises at the first thing that is not as told."""

    name: str
    title: str
    place: int
    tell: Tale


_chapters: dict[str, Chapter] = {}


def chapter(name: str, title: str, *, place: int) -> Callable[[Tale], Tale]:
    """Register a function `(story) -> None` as a chapter. Raises ValueError for a name that is taken."""

    def register(tell: Tale) -> Tale:
        if name in _chapters:
            raise ValueError(f"two chapters are called {name}")
        _chapters[name] = Chapter(name, title, place, tell)
        return tell

    return register


def load() -> dict[str, Chapter]:
    """All chapters by name, in their order; imports every file of the package once."""
    for module in pkgutil.iter_modules(chapters.__path__):
        importlib.import_module(f"{chapters.__name__}.{module.name}")
    return {one.name: one for one in sorted(_chapters.values(), key=lambda one: one.place)}


def chosen(names: list[str]) -> list[Chapter]:
    """The chapters of these names, all where there is none. Raises UserError for one that does not exist."""
    known = load()
    for name in names:
        if name not in known:
            guess = did_you_mean(name, known)
            raise UserError(
                f"There is no chapter `{name}`.",
                next_step=f"Did you mean `{guess}`?" if guess else f"There are: {', '.join(known)}.",
            )
    return [known[name] for name in dict.fromkeys(names)] or list(known.values())
