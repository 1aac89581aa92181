"""Answers outside the Web API: by response URL, or in the response to a slash command."""

from __future__ import annotations

from typing import Any

from bot.playground.slack.methods.chat import content
from bot.playground.slack.model import Message, ResponseUrl
from bot.playground.slack.refusal import Refusal
from bot.playground.slack.state import BOT, State

MAX_USES, MAX_SECONDS = 5, 1800


def respond(state: State, name: str, params: dict[str, Any]) -> None:
    """Use a response URL once. Raises Refusal if it is unknown, used up or expired, or the message is invalid."""
    response_url = state.response_urls.get(name)
    if response_url is None:
        raise Refusal("no_such_url")
    if response_url.uses >= MAX_USES:
        raise Refusal("used_url")
    if state.clock() - response_url.created > MAX_SECONDS:
        raise Refusal("expired_url")
    response_url.uses += 1
    if params.get("delete_original") is True:
        _remove(state, _original(state, response_url))
    elif params.get("replace_original") is True and response_url.ts:
        message = _original(state, response_url)
        message.text, message.blocks = content(params)
        message.edited += 1
    else:
        post_answer(state, response_url.user, response_url.channel, params, response_url.thread_ts)


def post_answer(state: State, user: str, channel: str, params: dict[str, Any], thread: str = "") -> None:
    """Post an answer that only `user` sees, unless `response_type` is in_channel. Raises Refusal."""
    text, blocks = content(params)
    only_for = "" if params.get("response_type") == "in_channel" else user
    state.add(Message(channel, state.new_ts(), BOT.id, text, blocks, thread, only_for=only_for))


def _original(state: State, response_url: ResponseUrl) -> Message:
    for message in state.ephemerals:
        if (message.only_for, message.channel, message.ts) == (
            response_url.user,
            response_url.channel,
            response_url.ts,
        ):
            return message
    return state.message(response_url.channel, response_url.ts)


def _remove(state: State, message: Message) -> None:
    (state.ephemerals if message.only_for else state.posts[message.channel]).remove(message)
