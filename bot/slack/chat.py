"""The Slack client: implements the Chat port on Slack's Web API."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from slack_sdk import WebClient
from slack_sdk.models.metadata import Metadata
from slack_sdk.webhook import WebhookClient

from bot.domain.ports.chat import Blocks, ChatError, ChatUser, Posted
from bot.slack.failure import chat_errors, pause

API_URL = "https://slack.com/api/"
EVENT_TYPE = "towpath"
"""The event_type in the metadata of the bot's messages."""

_PAGE_SIZE, _MAX_PAGES = 200, 5


def _sent_at(headers: Mapping[str, str]) -> datetime | None:
    """Return when Slack sent an answer, by its own clock; None if it does not say."""
    date = next((value for name, value in headers.items() if name.lower() == "date"), "")
    try:
        return parsedate_to_datetime(date).astimezone(UTC)
    except ValueError:
        return None


def web_client(token: str, *, api_url: str = API_URL, timeout: float = 10.0) -> WebClient:
    """Return a client that never retries, since a retried POST could post twice. timeout: seconds."""
    return WebClient(token=token, base_url=api_url, timeout=timeout, retry_handlers=[])  # type: ignore[arg-type]


class Slack:
    """Implements Chat; safe to use from many threads. Channels are ids, or the `#name` of a channel the bot can see."""

    def __init__(self, token: str, *, api_url: str = API_URL, timeout: float = 10.0) -> None:
        self._client = web_client(token, api_url=api_url, timeout=timeout)
        self._timeout = timeout
        self._guard = threading.Lock()
        self._bot: dict[str, str] = {}
        self._channels: dict[str, str] = {}

    def post(
        self, channel: str, text: str, blocks: Blocks = (), *, thread: str = "", key: str = ""
    ) -> Posted:
        """Post a message. text: shown in notifications and, without `blocks`, as the message itself."""
        with chat_errors("chat.postMessage"):
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

    def update(self, channel: str, ts: str, text: str, blocks: Blocks = ()) -> datetime | None:
        """Replace text and blocks. The key stays: Slack keeps metadata that an update does not send."""
        target = self._channel_id(channel)
        with chat_errors("chat.update"):
            answer = self._client.chat_update(channel=target, ts=ts, text=text, blocks=list(blocks))
        return _sent_at(answer.headers)

    def find(self, channel: str, key: str, *, thread: str = "") -> Posted | None:
        """Search the newest 1,000 messages of the channel, or the first 1,000 of the thread."""
        target, bot = self._channel_id(channel), self._identity()["bot_id"]
        for message in self._messages(target, thread):
            metadata = message.get("metadata") or {}
            own = message.get("bot_id") == bot and metadata.get("event_type") == EVENT_TYPE
            if own and (metadata.get("event_payload") or {}).get("key") == key:
                return Posted(target, str(message["ts"]))
        return None

    def ephemeral(self, channel: str, user: str, text: str, blocks: Blocks = (), *, thread: str = "") -> None:
        with chat_errors("chat.postEphemeral"):
            self._client.chat_postEphemeral(
                channel=channel, user=user, text=text, blocks=list(blocks) or None, thread_ts=thread or None
            )

    def conversation(self, user: str) -> str:
        with chat_errors("conversations.open"):
            return str(self._client.conversations_open(users=user)["channel"]["id"])

    def direct(self, user: str, text: str, blocks: Blocks = ()) -> Posted:
        return self.post(self.conversation(user), text, blocks)

    def respond(self, response_url: str, text: str, blocks: Blocks = (), *, replace: bool = False) -> None:
        """Answer through a response_url, visible to that person only.

        ChatError.code is `used_url` or `expired_url` if the URL can no longer be used.
        """
        with chat_errors("response_url"):
            client = WebhookClient(response_url, timeout=self._timeout, retry_handlers=[])  # type: ignore[arg-type]
            answer = client.send(
                text=text,
                blocks=list(blocks) or None,
                response_type="ephemeral",
                replace_original=replace,
            )
        if answer.status_code == 200:
            return
        code = answer.body.strip()
        code = code if code.isidentifier() else f"http_{answer.status_code}"
        retry_after = pause(answer.status_code, code, answer.headers.get("Retry-After", ""))
        raise ChatError(f"Slack refused response_url: {code}", code=code, retry_after=retry_after)

    def open_modal(self, trigger_id: str, view: dict[str, Any]) -> None:
        with chat_errors("views.open"):
            self._client.views_open(trigger_id=trigger_id, view=view)

    def permalink(self, channel: str, ts: str) -> str:
        target = self._channel_id(channel)
        with chat_errors("chat.getPermalink"):
            return str(self._client.chat_getPermalink(channel=target, message_ts=ts)["permalink"])

    def user(self, user: str) -> ChatUser:
        """Slack: `team_id` is the user's own workspace, also in a channel that is shared with others; `enterprise_user.teams`
        are the workspaces of an organization that they are in."""
        with chat_errors("users.info"):
            found: dict[str, Any] = self._client.users_info(user=user)["user"]
            enterprise = found.get("enterprise_user") or {}
            teams = {str(team) for team in (found.get("team_id"), *(enterprise.get("teams") or ())) if team}
            return ChatUser(
                str(found["id"]),
                frozenset(teams),
                str(found.get("name") or ""),
                str(found.get("real_name") or ""),
                active=not found.get("deleted") and not found.get("is_bot"),
            )

    def publish_home(self, user: str, view: dict[str, Any]) -> None:
        """Publish the view that `user` sees in the app's Home tab."""
        with chat_errors("views.publish"):
            self._client.views_publish(user_id=user, view=view)

    def check(self) -> str:
        """Return who the token authenticates as, for `towpath doctor`. Raises ChatError."""
        return f"signed in as {self._identity()['user_id']} of team {self._identity()['team_id']}"

    def team(self) -> str:
        return self._identity()["team_id"]

    def _identity(self) -> dict[str, str]:
        """Return user_id, bot_id and team_id from auth.test, which is called once."""
        with self._guard:
            if not self._bot:
                with chat_errors("auth.test"):
                    answer = self._client.auth_test()
                    self._bot = {name: str(answer[name]) for name in ("user_id", "bot_id", "team_id")}
            return self._bot

    def _channel_id(self, channel: str) -> str:
        """Return the id of `#name`. Slack accepts names only in chat.postMessage."""
        if not channel.startswith("#"):
            return channel
        with self._guard:
            if channel not in self._channels:
                with chat_errors("conversations.list"):
                    self._channels.update(self._list_channels())
            if channel not in self._channels:
                raise ChatError(
                    f"Slack has no channel {channel} that the bot can see", code="channel_not_found"
                )
            return self._channels[channel]

    def _list_channels(self) -> Iterator[tuple[str, str]]:
        cursor = ""
        while True:
            page = self._client.conversations_list(
                types="public_channel,private_channel",
                exclude_archived=True,
                limit=_PAGE_SIZE,
                cursor=cursor or None,
            )
            for channel in page["channels"]:
                yield f"#{channel['name']}", str(channel["id"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    def _messages(self, channel: str, thread: str) -> Iterator[dict[str, Any]]:
        cursor = ""
        for _ in range(_MAX_PAGES):
            with chat_errors("conversations.replies" if thread else "conversations.history"):
                options: dict[str, Any] = {
                    "include_all_metadata": True,
                    "limit": _PAGE_SIZE,
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
