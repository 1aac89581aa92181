"""Methods chat.* and reactions.add."""

from __future__ import annotations

from typing import Any

from bot.playground.slack.methods.common import Method, Params, channel_of, message_view, required
from bot.playground.slack.model import Message
from bot.playground.slack.refusal import Refusal
from bot.playground.slack.state import BOT, State
from bot.playground.slack.validation import validated_blocks, validated_metadata

MAX_TEXT, MAX_UPDATE = 40_000, 4_000
"""Characters above which a posted text is silently truncated, and an update is refused."""


def content(params: Params) -> tuple[str, list[dict[str, Any]]]:
    """Return text and blocks of a message to post. Raises Refusal("no_text") if there is neither."""
    text = str(params.get("text") or "")
    blocks = validated_blocks(params["blocks"]) if params.get("blocks") else []
    if not text.strip() and not blocks:
        raise Refusal("no_text")
    return text[:MAX_TEXT], blocks


def post(state: State, params: Params) -> dict[str, Any]:
    """chat.postMessage."""
    (name,) = required(params, "channel")
    channel = channel_of(state, name, inside=True, by_name=True)
    text, blocks = content(params)
    metadata = validated_metadata(params["metadata"]) if params.get("metadata") else {}
    thread = _thread(state, channel.id, params)
    message = Message(channel.id, state.new_ts(), BOT.id, text, blocks, thread, metadata)
    state.add(message)
    return {"channel": channel.id, "ts": message.ts, "message": message_view(message, metadata=True)}


def update(state: State, params: Params) -> dict[str, Any]:
    """chat.update."""
    name, ts = required(params, "channel", "ts")
    channel = channel_of(state, name)
    message = state.message(channel.id, ts)
    if message.user != BOT.id:
        raise Refusal("cant_update_message")
    if params.get("text") is None and params.get("blocks") is None:
        raise Refusal("no_text")
    if len(str(params.get("text") or "")) > MAX_UPDATE:
        raise Refusal("msg_too_long")
    blocks = message.blocks if params.get("blocks") is None else validated_blocks(params["blocks"])
    text = message.text if params.get("text") is None else str(params["text"])
    if not text.strip() and not blocks:
        raise Refusal("no_text")
    if params.get("metadata") is not None:
        message.metadata = validated_metadata(params["metadata"])
    message.text, message.blocks = text, blocks
    message.edited += 1
    return {"channel": channel.id, "ts": ts, "text": text, "message": message_view(message, metadata=True)}


def delete(state: State, params: Params) -> dict[str, Any]:
    """chat.delete."""
    name, ts = required(params, "channel", "ts")
    channel = channel_of(state, name)
    message = state.message(channel.id, ts)
    if message.user != BOT.id:
        raise Refusal("cant_delete_message")
    state.posts[channel.id].remove(message)
    return {"channel": channel.id, "ts": ts}


def ephemeral(state: State, params: Params) -> dict[str, Any]:
    """chat.postEphemeral."""
    name, user = required(params, "channel", "user")
    channel = channel_of(state, name, inside=True)
    if user not in channel.members:
        raise Refusal("user_not_in_channel")
    text, blocks = content(params)
    thread = _thread(state, channel.id, params)
    message = Message(channel.id, state.new_ts(), BOT.id, text, blocks, thread, only_for=user)
    state.add(message)
    return {"message_ts": message.ts}


def permalink(state: State, params: Params) -> dict[str, Any]:
    """chat.getPermalink."""
    name, ts = required(params, "channel", "message_ts")
    channel = channel_of(state, name)
    state.message(channel.id, ts)
    return {"channel": channel.id, "permalink": f"{state.url}/archives/{channel.id}/p{ts.replace('.', '')}"}


def react(state: State, params: Params) -> dict[str, Any]:
    """reactions.add."""
    name, ts, reaction = required(params, "channel", "timestamp", "name")
    channel = channel_of(state, name, inside=True)
    if not reaction.replace("_", "").replace("-", "").replace("+", "").isalnum():
        raise Refusal("invalid_name")
    users = state.message(channel.id, ts).reactions.setdefault(reaction, [])
    if BOT.id in users:
        raise Refusal("already_reacted")
    users.append(BOT.id)
    return {}


def _thread(state: State, channel: str, params: Params) -> str:
    """Return the `ts` of the thread's first message, also for a reply to a reply. Slack accepts unknown parents."""
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
