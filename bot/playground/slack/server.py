"""The stand-in for Slack as a running server."""

from __future__ import annotations

import threading
from collections.abc import Callable

import uvicorn

from bot.playground.slack.app import create_app
from bot.playground.slack.delivery import Delivery
from bot.playground.slack.model import Message, OpenView
from bot.playground.slack.socket_mode import SocketModeServer
from bot.playground.slack.state import State
from bot.playground.slack.user_actions import UserActions
from bot.web.sockets import listening_socket


class SlackStandIn(UserActions):
    """Slack on loopback, with one workspace. Call `start` before use and `stop` after."""

    def __init__(
        self,
        state: State | None = None,
        *,
        bot_url: str = "",
        command_name: str = "/infra",
        read: Callable[[], None] = lambda: None,
    ) -> None:
        """bot_url: the bot's `/slack/events`. It may be set later as `delivery.bot_url`. read: called before a person
        writes or clicks, who reads what is there first."""
        self.state = state or State()
        self.read = read
        self.socket_mode = SocketModeServer()
        super().__init__(self.state, Delivery(self.state, self.socket_mode, bot_url), command_name)
        self.state.open_socket = self.socket_mode.open
        self.faults = self.state.faults
        self.limits = self.state.limits
        self._since = ""
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self, port: int = 0) -> SlackStandIn:
        """Serve on 127.0.0.1 and return when it answers. Port 0 picks a free one."""
        listening = listening_socket("127.0.0.1", port)
        self.state.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        config = uvicorn.Config(
            create_app(self.state),
            log_level="critical",
            lifespan="off",
            access_log=False,
            ws="none",
            date_header=False,  # the state's clock counts
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listening]}, name="slack-stand-in", daemon=True
        )
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            self._thread.join(0.01)
        return self

    def stop(self) -> None:
        """Stop the server, all connections and retries."""
        self.faults.ended.set()
        self.delivery.stop()
        self.socket_mode.stop()
        if self._server and self._thread:
            self._server.should_exit = True
            self._thread.join()

    @property
    def url(self) -> str:
        """The root of the server."""
        return self.state.url

    @property
    def api_url(self) -> str:
        """The base URL of the Web API."""
        return f"{self.state.url}/api/"

    @property
    def revision(self) -> int:
        """A number that increases with each visible change."""
        return self.state.revision

    def subscribe(self, callback: Callable[[int], None]) -> Callable[[], None]:
        """Call `callback(revision)` after each change. Returns a function that unsubscribes."""
        return self.state.subscribe(callback)

    def turn_page(self) -> None:
        """Start a new story in this workspace. `messages`, `thread`, `direct` and `ephemerals` no longer show what was posted
        before, though the bot still finds it. Clears faults and open modals, and resets all limits."""
        self.faults.clear()
        self.limits.reset()
        with self.state.lock:
            self._since = self.state.new_ts()
            self.state.views.clear()

    def messages(self, channel: str) -> list[Message]:
        """Return a channel's messages outside threads, oldest first."""
        with self.state.lock:
            posts = self._shown(self.state.posts[self.state.channel(channel).id])
            return [post for post in posts if not post.thread_ts or post.thread_ts == post.ts]

    def thread(self, channel: str, ts: str) -> list[Message]:
        """Return a message and its replies."""
        with self.state.lock:
            return [
                post
                for post in self._shown(self.state.posts[self.state.channel(channel).id])
                if ts in (post.ts, post.thread_ts)
            ]

    def direct(self, user: str) -> list[Message]:
        """Return the user's direct messages with the bot."""
        with self.state.lock:
            return self._shown(self.state.posts[self.state.conversation(self.state.user(user).id).id])

    def ephemerals(self, user: str) -> list[Message]:
        """Return the ephemeral messages to `user` in all channels."""
        with self.state.lock:
            name = self.state.user(user).id
            return [one for one in self._shown(self.state.ephemerals) if one.only_for == name]

    def modals(self, user: str) -> list[OpenView]:
        """Return the user's open modals, the one in front last."""
        with self.state.lock:
            return list(self.state.views.get(self.state.user(user).id, []))

    def home(self, user: str) -> OpenView | None:
        """Return the user's Home tab, if the bot has published one."""
        with self.state.lock:
            return self.state.homes.get(self.state.user(user).id)

    def _shown(self, messages: list[Message]) -> list[Message]:
        """Return the messages of the current story. Timestamps have one width, so they compare as text."""
        return [one for one in messages if one.ts > self._since]
