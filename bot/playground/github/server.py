"""The stand-in for GitHub as a running server."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from bot.playground.github.app import create_app
from bot.playground.github.context import AppContext, Exchange
from bot.playground.github.faults import Faults
from bot.playground.github.state import State
from bot.playground.github.user_actions import UserActions
from bot.playground.github.webhooks import Webhooks
from bot.web.sockets import listening_socket


class GitHubStandIn(UserActions):
    """GitHub on loopback. Actions take logins and `owner/name`, and raise Refusal as GitHub's pages would.

    root: directory for the git repositories, created if missing. clock: returns timezone-aware UTC times. read: called
    before a person writes, who reads what is there first.
    """

    def __init__(
        self,
        root: Path,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        read: Callable[[], None] = lambda: None,
    ) -> None:
        self.state = State(root, clock=clock)
        self.read = read
        self.webhooks = Webhooks(self.state)
        self.faults = Faults()
        self._asgi = create_app(self.state, self.webhooks, self.faults)
        self._context: AppContext = self._asgi.state.context
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self, port: int = 0) -> GitHubStandIn:
        """Serve on 127.0.0.1. Port 0 picks a free one."""
        listener = listening_socket("127.0.0.1", port)
        self.state.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            self._asgi,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
            date_header=False,  # the state's clock counts
            ws="none",
        )
        self._server = uvicorn.Server(config)
        run = self._server.run
        self._thread = threading.Thread(target=lambda: run(sockets=[listener]), name="github", daemon=True)
        self._thread.start()
        self.webhooks.start()
        return self

    def stop(self) -> None:
        """Stop the server and the webhooks. The repositories stay on disk."""
        self._context.closing = True
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
        """The root of the API and of the web pages. The API is also at `/api/v3`."""
        return self.state.url

    @property
    def revision(self) -> int:
        """A number that increases with each change."""
        return self.state.revision

    @property
    def exchanges(self) -> deque[Exchange]:
        """The latest requests and their responses."""
        return self._context.exchanges

    def subscribe(self, listener: Callable[[int], None]) -> Callable[[], None]:
        """Call `listener(revision)` after each change, in the thread that made it, so it must be quick.

        Returns a function that unsubscribes.
        """
        return self.state.subscribe(listener)
