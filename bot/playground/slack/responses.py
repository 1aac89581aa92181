"""What the bot answers outside the Web API: by a response URL, or in the response to a slash command."""

from __future__ import annotations

from typing import Any

from bot.playground.slack.methods.chat import content
from bot.playground.slack.model import Message, ResponseUrl
from bot.playground.slack.refusal import Refused
from bot.playground.slack.state import BOT, State

USES, SECONDS = 5, 1800


def respond(state: State, name: str, params: dict[str, Any]) -> None:
    """One use of a response URL. Raises Refused: used_url, expired_url, or what is wrong with the message."""
    granted = state.response_urls.get(name)
    if granted is None:
        raise Refused("no_such_url")
    if granted.uses >= USES:
        raise Refused("used_url")
    if state.clock() - granted.made > SECONDS:
        raise Refused("expired_url")
    granted.uses += 1
    if params.get("delete_original") is True:
        _remove(state, _original(state, granted))
    elif params.get("replace_original") is True and granted.ts:
        message = _original(state, granted)
        message.text, message.blocks = content(params)
        message.edited += 1
    else:
        show(state, granted.user, granted.channel, params, granted.thread_ts)


def show(state: State, user: str, channel: str, params: dict[str, Any], thread: str = "") -> None:
    """The bot's answer: for `user` alone, unless `response_type` is in_channel. Raises Refused."""
    text, blocks = content(params)
    only_for = "" if params.get("response_type") == "in_channel" else user
    state.add(Message(channel, state.new_ts(), BOT.id, text, blocks, thread, only_for=only_for))


def _original(state: State, granted: ResponseUrl) -> Message:
    for message in state.whispers:
        if (message.only_for, message.channel, message.ts) == (granted.user, granted.channel, granted.ts):
            return message
    return state.message(granted.channel, granted.ts)


def _remove(state: State, message: Message) -> None:
    (state.whispers if message.only_for else state.posts[message.channel]).remove(message)
