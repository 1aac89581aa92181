"""What the page's top bar governs: the bot's process and the cloud's slowness."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from bot.playground.page.signals import Signals
from bot.playground.world import World

SLOW = 4.0
"""Seconds that each operation of the slow cloud takes."""
LOOK = 0.5
"""Seconds between two looks whether the bot's process still runs."""

_OPERATIONS = tuple(
    f"{operation}:playground_{kind}.*"
    for operation in ("create", "update", "delete")
    for kind in ("server", "dns_record", "cluster")
)


@dataclass(frozen=True)
class Bar:
    """What the top bar shows. state: running, starting or stopped. pid: of the bot's process, 0 where none runs."""

    state: str
    pid: int
    slow: bool
    console: str
    trouble: str = ""


class Control:
    """Kills and starts the bot, makes the cloud slow; tells `signals` of the part `bar`."""

    def __init__(self, world: World, signals: Signals) -> None:
        self._world, self._signals = world, signals
        self._slow, self._trouble = False, ""
        self._turn = threading.Lock()
        self._ended = threading.Event()
        self._starting = False
        self._thread = threading.Thread(target=self._watch, name="page-watch", daemon=True)
        self._thread.start()

    def bar(self) -> Bar:
        bot = self._world.bot
        alive = bot.alive
        state = "starting" if self._starting else "running" if alive else "stopped"
        return Bar(state, bot.pid if alive else 0, self._slow, self._world.console, self._trouble)

    def kill(self) -> None:
        """kill -9, whatever it is doing."""
        self._world.bot.kill()
        self._signals.tell("bar")

    def start(self) -> None:
        """Start the bot again where it does not run; returns when it answers or has failed."""
        with self._turn:
            if self._world.bot.alive:
                return
            self._starting, self._trouble = True, ""
            self._signals.tell("bar")
            try:
                self._world.bot.start()
            except RuntimeError as failure:
                self._trouble = str(failure)
            finally:
                self._starting = False
                self._signals.tell("bar")

    def slow(self, on: bool) -> None:
        """Let each operation in every cloud take SLOW seconds longer, or no longer."""
        self._slow = on
        for cloud in self._world.clouds.values():
            cloud.faults(dict.fromkeys(_OPERATIONS, SLOW) if on else {})
        self._signals.tell("bar")

    def close(self) -> None:
        """End the watching; the world goes on."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        seen = self._world.bot.alive
        while not self._ended.wait(LOOK):
            if (alive := self._world.bot.alive) != seen:
                seen = alive
                self._signals.tell("bar")
