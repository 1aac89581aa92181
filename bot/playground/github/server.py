"""The stand-in as a running server, and what people do on its pages."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from bot.playground.github.actions import People
from bot.playground.github.app import Desk, Exchange, create_app
from bot.playground.github.faults import Faults
from bot.playground.github.state import State
from bot.playground.github.webhooks import Webhooks
from bot.web.listening import listen


class GitHubStandIn(People):
    """A GitHub on loopback. People's actions take logins and `owner/name`, and raise Refusal as the page would.

    root: a directory for the git repositories, made where it is missing. clock: gives aware UTC times.
    """

    def __init__(self, root: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.state = State(root, clock=clock)
        self.webhooks = Webhooks(self.state)
        self.faults = Faults()
        self._asgi = create_app(self.state, self.webhooks, self.faults)
        self._desk: Desk = self._asgi.state.desk
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self, port: int = 0) -> GitHubStandIn:
        """Serve on 127.0.0.1; port 0 takes a free one."""
        listener = listen("127.0.0.1", port)
        self.state.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            self._asgi,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
            ws="none",
        )
        self._server = uvicorn.Server(config)
        run = self._server.run
        self._thread = threading.Thread(target=lambda: run(sockets=[listener]), name="github", daemon=True)
        self._thread.start()
        self.webhooks.start()
        return self

    def stop(self) -> None:
        """End the server and the deliveries; the repositories stay on disk."""
        self._desk.closing = True
        if self._server and self._thread:
            self._server.should_exit = True
            self._thread.join()
            self.webhooks.stop()

    def __enter__(self) -> GitHubStandIn:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The root of both the API and the pages; the API is also at `/api/v3`."""
        return self.state.url

    @property
    def revision(self) -> int:
        """Grows with each change."""
        return self.state.revision

    @property
    def exchanges(self) -> deque[Exchange]:
        return self._desk.exchanges

    def subscribe(self, listener: Callable[[int], None]) -> Callable[[], None]:
        """Call `listener(revision)` after each change, in the changing thread: it must be quick. Returns what ends it."""
        return self.state.subscribe(listener)
