"""The page as a running server."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable

import uvicorn

from bot.errors import UserError
from bot.playground.page.app import create_app
from bot.playground.page.control import Control
from bot.playground.page.signals import Signals
from bot.playground.world import World
from bot.web import listening as tcp


def listen(port: int) -> socket.socket:
    """A socket on loopback; port 0 takes a free one. Raises UserError where the port is taken or not allowed."""
    try:
        return tcp.listen("127.0.0.1", port)
    except OverflowError:
        raise UserError(f"There is no port {port}.", next_step="Choose one from 1024 to 65535.") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = f"Port {port} is taken by another program."
        else:
            reason = f"Port {port} cannot be used: {error.strerror}."
        raise UserError(
            reason, next_step=f"Choose another one: towpath demo --port {max(port % 65535 + 1, 1024)}"
        ) from None


class Page:
    """The page over a started world, on `listening`. `start` before use, `stop` before the world's own stop."""

    def __init__(self, world: World, listening: socket.socket) -> None:
        self._world, self._listening = world, listening
        self._signals = Signals()
        self._unsubscribe: list[Callable[[], None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}/"

    def start(self) -> Page:
        """Serve; returns when it answers."""
        signals, world = self._signals, self._world
        self._control = Control(world, signals)
        self._unsubscribe = [
            world.github.subscribe(lambda _revision: signals.tell("pull")),
            world.slack.subscribe(lambda _revision: signals.tell("slack")),
        ]
        config = uvicorn.Config(
            create_app(world, self._control, signals),
            log_level="critical",
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=3,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listening]}, name="page", daemon=True
        )
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            self._thread.join(0.01)
        return self

    def stop(self) -> None:
        """End the streams and the server; the world goes on."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._signals.close()
        self._control.close()
        self._server.should_exit = True
        self._thread.join()
        self._listening.close()

    def __enter__(self) -> Page:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()
