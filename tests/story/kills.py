"""A bot that kills itself (-9) at a named commit: nothing of the bot knows, its interpreter does it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from bot.playground.world import World, until

Point = tuple[Literal["before", "after"], str]
"""Before or after the commit of the next transaction with such a statement (a regular expression, looked for in SQL and
its parameters)."""


class Kills:
    """`settings` are for the bot's environment. One point at a time; it is gone when the bot is dead."""

    def __init__(self, directory: Path) -> None:
        self._point = directory / "point"
        self.settings = {
            "PYTHONPATH": str(Path(__file__).with_name("killing")),
            "KILL_AT": str(self._point),
        }

    def at(self, when: Literal["before", "after"], words: str) -> None:
        """See Point."""
        draft = self._point.with_suffix(".draft")
        draft.write_text(f"{when}\n{words}")
        draft.replace(self._point)

    def await_death(self, world: World, what: str) -> None:
        """Until the bot has died there."""
        until(lambda: not world.bot.alive, what=f"the bot's death {what}\n{world.bot.tail(20)}")
        assert not self._point.exists(), f"the bot died elsewhere than {what}\n{world.bot.tail(20)}"
