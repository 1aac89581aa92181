"""Slack's Web API as the services see it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from slack_sdk import WebClient
from slack_sdk.models.metadata import Metadata
from slack_sdk.webhook import WebhookClient

from bot.domain.ports.chat import Blocks, ChatError, Posted
from bot.slack.failure import explained, wait

API_URL = "https://slack.com/api/"
EVENT_TYPE = "towpath"
"""The event_type of our messages' metadata."""

_PAGE, _PAGES = 200, 5


def web_client(token: str, *, api_url: str = API_URL, timeout: float = 10.0) -> WebClient:
    """A client that repeats nothing by itself: a repeated POST could be a second message. timeout: seconds."""
    return WebClient(token=token, base_url=api_url, timeout=timeout, retry_handlers=[])  # type: ignore[arg-type]


class Slack:
    """Fulfils Chat. Channels are ids, or `#name` of a channel that the bot can see."""

    def __init__(self, token: str, *, api_url: str = API_URL, timeout: float = 10.0) -> None:
        self._client = web_client(token, api_url=api_url, timeout=timeout)
        self._timeout = timeout
        self._guard = threading.Lock()
        self._bot: dict[str, str] = {}
        self._channels: dict[str, str] = {}

    def post(
        self, channel: str, text: str, blocks: Blocks = (), *, thread: str = "", key: str = ""
    ) -> Posted:
        """`text` is what notifications show and, without `blocks`, the message itself."""
        with explained("chat.postMessage"):
            answer = self._client.chat_postMessage(
                channel=channel,
                text=text,
                blocks=list(blocks) or None,
                thread_ts=thread or None,
                metadata=Metadata(EVENT_TYPE, {"key": key}) if key else None,
                unfurl_links=False,
                unfurl_media=False,
            )
            return Posted(str(answer["channel"]), str(answer["ts"]))

    def update(self, channel: str, ts: str, text: str, blocks: Blocks = ()) -> None:
        """Replace text and blocks; the key stays (Slack keeps metadata that an update does not name)."""
        target = self._channel(channel)
        with explained("chat.update"):
            self._client.chat_update(channel=target, ts=ts, text=text, blocks=list(blocks))

    def find(self, channel: str, key: str, *, thread: str = "") -> Posted | None:
        """Among the newest 1,000 messages of the channel, or the first 1,000 of the thread."""
        target, bot = self._channel(channel), self._me()["bot_id"]
        for message in self._messages(target, thread):
            metadata = message.get("metadata") or {}
            ours = message.get("bot_id") == bot and metadata.get("event_type") == EVENT_TYPE
            if ours and (metadata.get("event_payload") or {}).get("key") == key:
                return Posted(target, str(message["ts"]))
        return None

    def ephemeral(self, channel: str, user: str, text: str, blocks: Blocks = (), *, thread: str = "") -> None:
        with explained("chat.postEphemeral"):
            self._client.chat_postEphemeral(
                channel=channel, user=user, text=text, blocks=list(blocks) or None, thread_ts=thread or None
            )

    def conversation(self, user: str) -> str:
        with explained("conversations.open"):
            return str(self._client.conversations_open(users=user)["channel"]["id"])

    def direct(self, user: str, text: str, blocks: Blocks = ()) -> Posted:
        return self.post(self.conversation(user), text, blocks)

    def respond(self, response_url: str, text: str, blocks: Blocks = (), *, replace: bool = False) -> None:
        """Visible to that person alone. ChatError.code is `used_url` or `expired_url` where the URL is spent."""
        with explained("the response"):
            client = WebhookClient(response_url, timeout=self._timeout, retry_handlers=[])  # type: ignore[arg-type]
            answer = client.send(
                text=text,
                blocks=list(blocks) or None,
                response_type="ephemeral",
                replace_original=replace,
            )
        if answer.status_code == 200:
            return
        word = answer.body.strip()
        word = word if word.isidentifier() else f"http_{answer.status_code}"
        later = wait(answer.status_code, word, answer.headers.get("Retry-After", ""))
        raise ChatError(f"Slack refused the response: {word}", code=word, retry_after=later)

    def open_modal(self, trigger_id: str, view: dict[str, Any]) -> None:
        with explained("views.open"):
            self._client.views_open(trigger_id=trigger_id, view=view)

    def permalink(self, channel: str, ts: str) -> str:
        target = self._channel(channel)
        with explained("chat.getPermalink"):
            return str(self._client.chat_getPermalink(channel=target, message_ts=ts)["permalink"])

    def user_name(self, user: str) -> str:
        """The name people see: the display name, else the full name, else the account's."""
        with explained("users.info"):
            found: dict[str, Any] = self._client.users_info(user=user)["user"]
            profile = found.get("profile") or {}
            names = (profile.get("display_name"), found.get("real_name"), found.get("name"))
            return next((str(name) for name in names if name), user)

    def publish_home(self, user: str, view: dict[str, Any]) -> None:
        """What `user` sees in the app's Home tab."""
        with explained("views.publish"):
            self._client.views_publish(user_id=user, view=view)

    def check(self) -> str:
        """Who the token signs in as, for an operator's eyes. Raises ChatError."""
        return f"signed in as {self._me()['user_id']} of team {self._me()['team_id']}"

    def team(self) -> str:
        return self._me()["team_id"]

    def _me(self) -> dict[str, str]:
        """auth.test, asked once."""
        with self._guard:
            if not self._bot:
                with explained("auth.test"):
                    answer = self._client.auth_test()
                    self._bot = {name: str(answer[name]) for name in ("user_id", "bot_id", "team_id")}
            return self._bot

    def _channel(self, channel: str) -> str:
        """The id behind `#name`: all methods but posting take ids only."""
        if not channel.startswith("#"):
            return channel
        with self._guard:
            if channel not in self._channels:
                with explained("conversations.list"):
                    self._channels.update(self._names())
            if channel not in self._channels:
                raise ChatError(f"Slack has no channel {channel} that the bot sees", code="channel_not_found")
            return self._channels[channel]

    def _names(self) -> Iterator[tuple[str, str]]:
        cursor = ""
        while True:
            page = self._client.conversations_list(
                types="public_channel,private_channel",
                exclude_archived=True,
                limit=_PAGE,
                cursor=cursor or None,
            )
            for channel in page["channels"]:
                yield f"#{channel['name']}", str(channel["id"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    def _messages(self, channel: str, thread: str) -> Iterator[dict[str, Any]]:
        cursor = ""
        for _ in range(_PAGES):
            with explained("conversations.replies" if thread else "conversations.history"):
                options: dict[str, Any] = {
                    "include_all_metadata": True,
                    "limit": _PAGE,
                    "cursor": cursor or None,
                }
                if thread:
                    page = self._client.conversations_replies(channel=channel, ts=thread, **options)
                else:
                    page = self._client.conversations_history(channel=channel, **options)
            yield from page["messages"]
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return
