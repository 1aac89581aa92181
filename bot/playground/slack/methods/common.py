"""Helpers of the methods: parameters, channels, paging, messages."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from bot.playground.slack.model import Channel, Message
from bot.playground.slack.refusal import Refusal
from bot.playground.slack.state import APP, BOT, BOT_ID, State

Params = dict[str, Any]
Method = Callable[[State, Params], dict[str, Any]]
Item = TypeVar("Item")


def required(params: Params, *names: str) -> list[str]:
    """Return these text parameters. Raises Refusal("invalid_arguments") if one is missing."""
    missing = [name for name in names if not isinstance(params.get(name), str) or not params[name]]
    if missing:
        raise Refusal("invalid_arguments", [f"[ERROR] missing required field: {name}" for name in missing])
    return [params[name] for name in names]


def boolean(value: object) -> bool:
    """Return a boolean from a form or from JSON."""
    return value in (True, 1, "1", "true", "True")


def channel_of(state: State, name: str, *, inside: bool = False, by_name: bool = False) -> Channel:
    """Return a channel by id. by_name: also by `#name` or a user's id. inside: the bot must be a member. Raises Refusal."""
    channel = state.channels.get(name)
    if by_name and name in state.users:
        channel = state.conversation(name)
    if by_name and name.startswith("#"):
        channel = next((each for each in state.channels.values() if f"#{each.name}" == name), None)
    if channel is None:
        raise Refusal("channel_not_found")
    if inside and BOT.id not in channel.members:
        raise Refusal("channel_not_found" if channel.private else "not_in_channel")
    return channel


def page(items: Sequence[Item], params: Params, most: int) -> tuple[list[Item], dict[str, Any]]:
    """Return one page of items, and the response's cursor of the next page. Raises Refusal for an invalid cursor or limit."""
    try:
        limit = int(params.get("limit") or 100)
        start = int(base64.b64decode(str(params.get("cursor") or ""), validate=True) or b"0")
    except ValueError as error:
        raise Refusal("invalid_cursor" if params.get("cursor") else "invalid_limit") from error
    if not 1 <= limit <= most:
        raise Refusal("invalid_limit")
    end = start + limit
    cursor = base64.b64encode(str(end).encode()).decode() if end < len(items) else ""
    return list(items[start:end]), {"has_more": bool(cursor), "response_metadata": {"next_cursor": cursor}}


def message_view(message: Message, *, metadata: bool = False) -> dict[str, Any]:
    """Return a message's JSON."""
    data: dict[str, Any] = {"type": "message", "user": message.user, "text": message.text, "ts": message.ts}
    if message.user == BOT.id:
        data |= {"bot_id": BOT_ID, "app_id": APP}
    if message.blocks:
        data["blocks"] = message.blocks
    if message.thread_ts:
        data["thread_ts"] = message.thread_ts
    if message.edited:
        data["edited"] = {"user": message.user, "ts": message.ts}
    if message.reactions:
        data["reactions"] = [
            {"name": name, "users": users, "count": len(users)} for name, users in message.reactions.items()
        ]
    if metadata and message.metadata:
        data["metadata"] = message.metadata
    return data
