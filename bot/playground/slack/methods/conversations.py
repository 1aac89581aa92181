"""Methods conversations.*."""

from __future__ import annotations

from typing import Any

from bot.playground.slack.methods.common import (
    Method,
    Params,
    boolean,
    channel_of,
    message_view,
    page,
    required,
)
from bot.playground.slack.model import Channel
from bot.playground.slack.refusal import Refusal
from bot.playground.slack.state import BOT, State


def _view(channel: Channel) -> dict[str, Any]:
    inside = BOT.id in channel.members
    if channel.im:
        return {"id": channel.id, "is_im": True, "user": next(iter(channel.members - {BOT.id}))}
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": True,
        "is_private": channel.private,
        "is_archived": False,
        "is_member": inside,
        "num_members": len(channel.members),
    }


def list_channels(state: State, params: Params) -> dict[str, Any]:
    """conversations.list."""
    kinds = str(params.get("types") or "public_channel").split(",")
    found = [
        channel
        for channel in state.channels.values()
        if ("im" if channel.im else "private_channel" if channel.private else "public_channel") in kinds
        and (not channel.private or BOT.id in channel.members)
    ]
    channels, more = page(found, params, 1000)
    return {"channels": [_view(channel) for channel in channels], **more}


def info(state: State, params: Params) -> dict[str, Any]:
    """conversations.info."""
    (name,) = required(params, "channel")
    return {"channel": _view(channel_of(state, name))}


def join(state: State, params: Params) -> dict[str, Any]:
    """conversations.join."""
    (name,) = required(params, "channel")
    channel = channel_of(state, name)
    if channel.im or channel.private:
        raise Refusal("method_not_supported_for_channel_type")
    channel.members.add(BOT.id)
    return {"channel": _view(channel)}


def open_conversation(state: State, params: Params) -> dict[str, Any]:
    """conversations.open."""
    (users,) = required(params, "users")
    if users not in state.users or users == BOT.id:
        raise Refusal("user_not_found")
    return {"channel": {"id": state.conversation(users).id}}


def history(state: State, params: Params) -> dict[str, Any]:
    """conversations.history."""
    (name,) = required(params, "channel")
    channel = channel_of(state, name, inside=True)
    oldest = str(params.get("oldest") or "")
    top = [post for post in state.posts[channel.id] if not post.thread_ts or post.thread_ts == post.ts]
    posts, more = page([post for post in reversed(top) if post.ts > oldest], params, 999)
    full = boolean(params.get("include_all_metadata"))
    return {"messages": [message_view(post, metadata=full) for post in posts], **more}


def replies(state: State, params: Params) -> dict[str, Any]:
    """conversations.replies."""
    name, ts = required(params, "channel", "ts")
    channel = channel_of(state, name, inside=True)
    thread = [post for post in state.posts[channel.id] if ts in (post.ts, post.thread_ts)]
    if not any(post.ts == ts for post in thread):
        raise Refusal("thread_not_found")
    posts, more = page(thread, params, 1000)
    full = boolean(params.get("include_all_metadata"))
    return {"messages": [message_view(post, metadata=full) for post in posts], **more}


METHODS: dict[str, Method] = {
    "conversations.list": list_channels,
    "conversations.info": info,
    "conversations.join": join,
    "conversations.open": open_conversation,
    "conversations.history": history,
    "conversations.replies": replies,
}
