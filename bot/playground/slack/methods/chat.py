"""chat.* and reactions.add."""

from __future__ import annotations

from typing import Any

from bot.playground.slack.checks import checked_blocks, checked_metadata
from bot.playground.slack.methods.common import Method, Params, channel_of, required, shown
from bot.playground.slack.model import Message
from bot.playground.slack.refusal import Refused
from bot.playground.slack.state import BOT, State

CUT, UPDATE = 40_000, 4_000
"""Characters: a posted text is cut silently above the first, an update's refused above the second."""


def content(params: Params) -> tuple[str, list[dict[str, Any]]]:
    """Text and blocks of a message to post. Raises Refused("no_text") where there is neither."""
    text = str(params.get("text") or "")
    blocks = checked_blocks(params["blocks"]) if params.get("blocks") else []
    if not text.strip() and not blocks:
        raise Refused("no_text")
    return text[:CUT], blocks


def post(state: State, params: Params) -> dict[str, Any]:
    (name,) = required(params, "channel")
    channel = channel_of(state, name, inside=True, by_name=True)
    text, blocks = content(params)
    metadata = checked_metadata(params["metadata"]) if params.get("metadata") else {}
    thread = _thread(state, channel.id, params)
    message = Message(channel.id, state.new_ts(), BOT.id, text, blocks, thread, metadata)
    state.add(message)
    return {"channel": channel.id, "ts": message.ts, "message": shown(message, metadata=True)}


def update(state: State, params: Params) -> dict[str, Any]:
    name, ts = required(params, "channel", "ts")
    channel = channel_of(state, name)
    message = state.message(channel.id, ts)
    if message.user != BOT.id:
        raise Refused("cant_update_message")
    if params.get("text") is None and params.get("blocks") is None:
        raise Refused("no_text")
    if len(str(params.get("text") or "")) > UPDATE:
        raise Refused("msg_too_long")
    blocks = message.blocks if params.get("blocks") is None else checked_blocks(params["blocks"])
    text = message.text if params.get("text") is None else str(params["text"])
    if not text.strip() and not blocks:
        raise Refused("no_text")
    if params.get("metadata") is not None:
        message.metadata = checked_metadata(params["metadata"])
    message.text, message.blocks = text, blocks
    message.edited += 1
    return {"channel": channel.id, "ts": ts, "text": text, "message": shown(message, metadata=True)}


def delete(state: State, params: Params) -> dict[str, Any]:
    name, ts = required(params, "channel", "ts")
    channel = channel_of(state, name)
    message = state.message(channel.id, ts)
    if message.user != BOT.id:
        raise Refused("cant_delete_message")
    state.posts[channel.id].remove(message)
    return {"channel": channel.id, "ts": ts}


def ephemeral(state: State, params: Params) -> dict[str, Any]:
    name, user = required(params, "channel", "user")
    channel = channel_of(state, name, inside=True)
    if user not in channel.members:
        raise Refused("user_not_in_channel")
    text, blocks = content(params)
    thread = _thread(state, channel.id, params)
    message = Message(channel.id, state.new_ts(), BOT.id, text, blocks, thread, only_for=user)
    state.add(message)
    return {"message_ts": message.ts}


def permalink(state: State, params: Params) -> dict[str, Any]:
    name, ts = required(params, "channel", "message_ts")
    channel = channel_of(state, name)
    state.message(channel.id, ts)
    return {"channel": channel.id, "permalink": f"{state.url}/archives/{channel.id}/p{ts.replace('.', '')}"}


def react(state: State, params: Params) -> dict[str, Any]:
    name, ts, reaction = required(params, "channel", "timestamp", "name")
    channel = channel_of(state, name, inside=True)
    if not reaction.replace("_", "").replace("-", "").replace("+", "").isalnum():
        raise Refused("invalid_name")
    users = state.message(channel.id, ts).reactions.setdefault(reaction, [])
    if BOT.id in users:
        raise Refused("already_reacted")
    users.append(BOT.id)
    return {}


def _thread(state: State, channel: str, params: Params) -> str:
    """The parent's ts: a reply to a reply goes to the same thread. Slack takes a parent that does not exist."""
    thread = str(params.get("thread_ts") or "")
    parent = next((message for message in state.posts[channel] if message.ts == thread), None)
    return parent.thread_ts or parent.ts if parent else thread


METHODS: dict[str, Method] = {
    "chat.postMessage": post,
    "chat.update": update,
    "chat.delete": delete,
    "chat.postEphemeral": ephemeral,
    "chat.getPermalink": permalink,
    "reactions.add": react,
}
