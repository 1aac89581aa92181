"""The page as a running server."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable

import uvicorn

from bot.errors import UserError
from bot.playground.page.app import create_app
from bot.playground.page.change_stream import ChangeStream
from bot.playground.page.control import Control
from bot.playground.page.databases_watch import DatabasesWatch
from bot.playground.world import World
from bot.web import sockets as tcp


def listen(port: int) -> socket.socket:
    """Listen on a port of 127.0.0.1; 0 picks a free one. Raises UserError if the port is in use or not permitted."""
    try:
        return tcp.listening_socket("127.0.0.1", port)
    except OverflowError:
        raise UserError(f"Port {port} does not exist.", next_step="Choose one from 1024 to 65535.") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = f"Port {port} is in use by another program."
        else:
            reason = f"Port {port} cannot be used: {error.strerror}."
        raise UserError(
            reason, next_step=f"Choose another port: towpath demo --port {max(port % 65535 + 1, 1024)}"
        ) from None


class Page:
    """The page over a started world, on the socket `listener`. Call `stop` before stopping the world."""

    def __init__(self, world: World, listener: socket.socket) -> None:
        self._world, self._listener = world, listener
        self._changes = ChangeStream()
        self._unsubscribe: list[Callable[[], None]] = []

    @property
    def url(self) -> str:
        """The page's URL."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/"

    def start(self) -> Page:
        """Start the server and return when it answers."""
        changes, world = self._changes, self._world
        self._control = Control(world, changes)
        self._unsubscribe = [
            world.github.subscribe(lambda _revision: changes.publish("pull")),
            world.slack.subscribe(lambda _revision: changes.publish("slack")),
        ]
        if world.shop is not None:
            self._unsubscribe.append(DatabasesWatch(world.shop, changes).close)
        config = uvicorn.Config(
            create_app(world, self._control, changes),
            log_level="critical",
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=3,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listener]}, name="page", daemon=True
        )
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            self._thread.join(0.01)
        return self

    def stop(self) -> None:
        """Stop the server and its streams. The world keeps running."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._changes.close()
        self._control.close()
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()

    def __enter__(self) -> Page:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()
