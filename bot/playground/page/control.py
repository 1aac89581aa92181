"""The page's top bar: kill and start the bot, slow down the cloud."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from bot.playground.page.change_stream import ChangeStream
from bot.playground.world import World

SLOW_SECONDS = 4.0
"""Extra time that each operation of the slow cloud takes."""
POLL_SECONDS = 0.5
"""How often to check whether the bot's process is running."""

_OPERATIONS = tuple(
    f"{operation}:playground_{kind}.*"
    for operation in ("create", "update", "delete")
    for kind in ("server", "dns_record", "cluster")
)


@dataclass(frozen=True)
class Bar:
    """What the top bar shows. state: running, starting or stopped. pid: the bot's, 0 if it is not running."""

    state: str
    pid: int
    slow: bool
    console: str
    error: str = ""


class Control:
    """Controls the world's bot and clouds, and publishes changes of the top bar to `changes`."""

    def __init__(self, world: World, changes: ChangeStream) -> None:
        self._world, self._changes = world, changes
        self._slow, self._error = False, ""
        self._start_lock = threading.Lock()
        self._closing = threading.Event()
        self._starting = False
        self._thread = threading.Thread(target=self._watch, name="page-watch", daemon=True)
        self._thread.start()

    def bar(self) -> Bar:
        """Return what the top bar shows now."""
        bot = self._world.bot
        alive = bot.alive
        state = "starting" if self._starting else "running" if alive else "stopped"
        return Bar(state, bot.pid if alive else 0, self._slow, self._world.console, self._error)

    def kill(self) -> None:
        """Kill the bot with SIGKILL."""
        self._world.bot.kill()
        self._changes.publish("bar")

    def start(self) -> None:
        """Start the bot unless it is running. Returns when it answers or has failed to start."""
        with self._start_lock:
            if self._world.bot.alive:
                return
            self._starting, self._error = True, ""
            self._changes.publish("bar")
            try:
                self._world.bot.start()
            except RuntimeError as failure:
                self._error = str(failure)
            finally:
                self._starting = False
                self._changes.publish("bar")

    def slow_down(self, on: bool) -> None:
        """Make each operation in every cloud take SLOW_SECONDS longer, or stop doing so."""
        self._slow = on
        for cloud in self._world.clouds.values():
            cloud.faults(dict.fromkeys(_OPERATIONS, SLOW_SECONDS) if on else {})
        self._changes.publish("bar")

    def close(self) -> None:
        """Stop watching the bot. The world keeps running."""
        self._closing.set()
        self._thread.join()

    def _watch(self) -> None:
        """Publish a change when the bot's process starts or ends."""
        last = self._world.bot.alive
        while not self._closing.wait(POLL_SECONDS):
            if (alive := self._world.bot.alive) != last:
                last = alive
                self._changes.publish("bar")
