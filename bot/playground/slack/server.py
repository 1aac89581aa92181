"""The stand-in as a whole: state, HTTP server, Socket Mode, people."""

from __future__ import annotations

import threading
from collections.abc import Callable

import uvicorn

from bot.playground.slack.app import create_app
from bot.playground.slack.delivery import Delivery
from bot.playground.slack.gateway import Gateway
from bot.playground.slack.model import Message, OpenView
from bot.playground.slack.people import People
from bot.playground.slack.state import State
from bot.web.listening import listen


class SlackStandIn(People):
    """Slack on loopback, with one workspace. `start` before use, `stop` after it."""

    def __init__(
        self, state: State | None = None, *, bot_url: str = "", command_name: str = "/infra"
    ) -> None:
        """bot_url: the bot's `/slack/events`; may be set later as `delivery.bot_url`."""
        self.state = state or State()
        self.gateway = Gateway()
        super().__init__(self.state, Delivery(self.state, self.gateway, bot_url), command_name)
        self.state.open_socket = self.gateway.open
        self.faults = self.state.faults
        self.limits = self.state.limits
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def start(self, port: int = 0) -> SlackStandIn:
        """Listen on loopback; port 0 takes a free one. Returns when it answers."""
        listening = listen("127.0.0.1", port)
        self.state.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        config = uvicorn.Config(
            create_app(self.state), log_level="critical", lifespan="off", access_log=False, ws="none"
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
        """Ends the server, all connections and the retries under way."""
        self.faults.ended.set()
        self.delivery.stop()
        self.gateway.stop()
        if self._server and self._thread:
            self._server.should_exit = True
            self._thread.join()

    @property
    def url(self) -> str:
        return self.state.url

    @property
    def api_url(self) -> str:
        """The Web API's base, for the bot."""
        return f"{self.state.url}/api/"

    @property
    def revision(self) -> int:
        """Grows with every change that people can see."""
        return self.state.revision

    def subscribe(self, callback: Callable[[int], None]) -> Callable[[], None]:
        """`callback(revision)` after every change; returns how to end it."""
        return self.state.subscribe(callback)

    def messages(self, channel: str) -> list[Message]:
        """A channel's messages outside threads, oldest first."""
        with self.state.lock:
            posts = self.state.posts[self.state.channel(channel).id]
            return [post for post in posts if not post.thread_ts or post.thread_ts == post.ts]

    def thread(self, channel: str, ts: str) -> list[Message]:
        """A message and the replies to it."""
        with self.state.lock:
            return [
                post
                for post in self.state.posts[self.state.channel(channel).id]
                if ts in (post.ts, post.thread_ts)
            ]

    def direct(self, user: str) -> list[Message]:
        """The bot's direct conversation with `user`."""
        with self.state.lock:
            return list(self.state.posts[self.state.conversation(self.state.user(user).id).id])

    def ephemerals(self, user: str) -> list[Message]:
        """What only `user` sees, in all channels."""
        with self.state.lock:
            name = self.state.user(user).id
            return [message for message in self.state.whispers if message.only_for == name]

    def modals(self, user: str) -> list[OpenView]:
        """`user`'s open modals, the one in front last."""
        with self.state.lock:
            return list(self.state.views.get(self.state.user(user).id, []))

    def home(self, user: str) -> OpenView | None:
        """What `user` sees in the Home tab."""
        with self.state.lock:
            return self.state.homes.get(self.state.user(user).id)
