"""State of the workspace: users, channels, messages, views."""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable

from bot.playground.slack.faults import Faults
from bot.playground.slack.model import Call, Channel, Message, OpenView, ResponseUrl, Trigger, User
from bot.playground.slack.rate_limits import RateLimits
from bot.playground.slack.refusal import NotOffered, Refusal

TEAM, APP, BOT_ID = "T0ACME", "A0TOWPATH", "B0TOWPATH"
BOT = User("U0TOWPATH", "towpath", "Towpath", bot=True)
BOT_TOKEN, APP_TOKEN, SIGNING_SECRET = "xoxb-playground", "xapp-playground", "playground-signing-secret"
PEOPLE = (
    User("U0ANN", "ann", "Ann"),
    User("U0BOB", "bob", "Bob"),
    User("U0CAROL", "carol", "Carol"),
    User("U0DAVE", "dave", "Dave"),
)


class State:
    """The workspace. Access it under `lock`. Starts with #infra, which the bot is in, and #general; all users are in both."""

    def __init__(
        self,
        *,
        bot_token: str = BOT_TOKEN,
        app_token: str = APP_TOKEN,
        signing_secret: str = SIGNING_SECRET,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """clock: seconds since 1970. Tests move it to make triggers and response URLs expire."""
        self.bot_token, self.app_token, self.signing_secret = bot_token, app_token, signing_secret
        self.clock = clock
        self.url = ""
        self.open_socket: Callable[[], str] | None = None
        self.lock = threading.RLock()
        self.revision = 0
        self.faults, self.limits = Faults(), RateLimits()
        self.users = {user.id: user for user in (BOT, *PEOPLE)}
        everyone = {user.id for user in PEOPLE}
        self.channels = {
            "C0INFRA": Channel("C0INFRA", "infra", {*everyone, BOT.id}),
            "C0GENERAL": Channel("C0GENERAL", "general", set(everyone)),
        }
        self.posts: dict[str, list[Message]] = {name: [] for name in self.channels}
        self.ephemerals: list[Message] = []
        self.views: dict[str, list[OpenView]] = {}
        self.homes: dict[str, OpenView] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.calls: deque[Call] = deque(maxlen=5000)
        self._subscribers: list[Callable[[int], None]] = []
        self._counter = itertools.count(1)
        self._last = 0

    def subscribe(self, callback: Callable[[int], None]) -> Callable[[], None]:
        """Call `callback(revision)` after each change, in the changing thread. Returns a function that unsubscribes."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback) if callback in self._subscribers else None

    def changed(self) -> None:
        """Notify the subscribers of a visible change."""
        with self.lock:
            self.revision += 1
            revision = self.revision
        for callback in list(self._subscribers):
            callback(revision)

    def new_id(self, prefix: str) -> str:
        """Return a new unique id."""
        return f"{prefix}{next(self._counter):06d}{secrets.token_hex(3).upper()}"

    def new_ts(self) -> str:
        """Return a message timestamp, which is unique and increasing."""
        with self.lock:
            self._last = max(self._last + 1, int(self.clock() * 1_000_000))
            return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"

    def user(self, name: str) -> User:
        """Return a user by id or name. Raises NotOffered."""
        for user in self.users.values():
            if name in (user.id, user.name):
                return user
        raise NotOffered(f"no user {name}")

    def channel(self, name: str) -> Channel:
        """Return a channel by id or name, with or without `#`. Raises NotOffered."""
        for channel in self.channels.values():
            if name.lstrip("#") in (channel.id, channel.name):
                return channel
        raise NotOffered(f"no channel {name}")

    def conversation(self, user: str) -> Channel:
        """Return the channel of the user's direct messages with the bot, creating it if missing."""
        found = self.channels.get("D" + user[1:])
        if found is None:
            found = Channel("D" + user[1:], "", {user, BOT.id}, im=True)
            self.channels[found.id] = found
            self.posts[found.id] = []
        return found

    def add(self, message: Message) -> Message:
        """Store a new message."""
        (self.ephemerals if message.only_for else self.posts[message.channel]).append(message)
        return message

    def message(self, channel: str, ts: str) -> Message:
        """Return a message. Raises Refusal("message_not_found")."""
        for message in self.posts.get(channel, []):
            if message.ts == ts:
                return message
        raise Refusal("message_not_found")

    def trigger(self, user: str, view: str = "") -> str:
        """Return a new trigger_id."""
        name = f"{self.new_id('')}.{secrets.token_hex(8)}"
        self.triggers[name] = Trigger(user, self.clock(), view)
        return name

    def response_url(self, user: str, channel: str, ts: str = "", thread_ts: str = "") -> str:
        """Return a new response URL."""
        name = secrets.token_urlsafe(12)
        self.response_urls[name] = ResponseUrl(user, channel, self.clock(), ts, thread_ts)
        return f"{self.url}/response/{name}"
