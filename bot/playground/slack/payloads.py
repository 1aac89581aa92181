"""Payloads that Slack sends to the bot."""

from __future__ import annotations

import re
from html import escape
from typing import Any

from bot.playground.slack.methods.common import message_view
from bot.playground.slack.model import Channel, Message, OpenView, User
from bot.playground.slack.state import APP, BOT, TEAM, State

_NAME = re.compile(r"(?<!\S)[@#][\w-]+")
_URL = re.compile(r"https?://[^\s<>|]+")


def stored_text(state: State, text: str, *, labels: bool = False) -> str:
    """Return a user's text as Slack stores it: HTML entities, and links, users and channels in angle brackets.

    labels: include names beside ids, as slash commands do.
    """
    text = _URL.sub(lambda url: f"<{url[0]}>", escape(text, quote=False))
    named = {f"@{user.name}": (f"@{user.id}", user.name) for user in state.users.values()}
    named |= {f"#{channel.name}": (f"#{channel.id}", channel.name) for channel in state.channels.values()}

    def mark(word: re.Match[str]) -> str:
        if word[0] not in named:
            return word[0]
        name, label = named[word[0]]
        return f"<{name}|{label}>" if labels or name[0] == "#" else f"<{name}>"

    return _NAME.sub(mark, text)


def command(state: State, user: User, channel: Channel, name: str, text: str) -> dict[str, str]:
    """Return the form of a slash command."""
    return {
        "token": "unused",
        "team_id": TEAM,
        "team_domain": "acme",
        "channel_id": channel.id,
        "channel_name": "directmessage" if channel.im else channel.name,
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": stored_text(state, text, labels=True),
        "api_app_id": APP,
        "is_enterprise_install": "false",
        "response_url": state.response_url(user.id, channel.id),
        "trigger_id": state.trigger(user.id),
    }


def event(state: State, inner: dict[str, Any]) -> dict[str, Any]:
    """Return the envelope of an event."""
    return {
        "token": "unused",
        "team_id": TEAM,
        "api_app_id": APP,
        "event": inner,
        "type": "event_callback",
        "event_id": state.new_id("Ev"),
        "event_time": int(state.clock()),
        "authorizations": [{"enterprise_id": None, "team_id": TEAM, "user_id": BOT.id, "is_bot": True}],
        "is_ext_shared_channel": False,
    }


def message_event(message: Message, *, direct: bool) -> dict[str, Any]:
    """Return the event for a user's message: a direct message or a mention of the bot."""
    inner = message_view(message) | {"channel": message.channel, "event_ts": message.ts, "team": TEAM}
    if direct:
        return inner | {"channel_type": "im"}
    return inner | {"type": "app_mention"}


def click(state: State, user: User, action: dict[str, Any], message: Message) -> dict[str, Any]:
    """Return the payload of a click on a message's button."""
    channel = state.channels[message.channel]
    ephemeral = bool(message.only_for)
    thread = {"thread_ts": message.thread_ts} if message.thread_ts else {}
    place = {"type": "message", "message_ts": message.ts, "channel_id": channel.id, "is_ephemeral": ephemeral}
    payload = {
        **_interaction(user, "block_actions"),
        "container": {**place, **thread},
        "channel": {"id": channel.id, "name": "directmessage" if channel.im else channel.name},
        "state": {"values": {}},
        "trigger_id": state.trigger(user.id),
        "response_url": state.response_url(user.id, channel.id, message.ts, message.thread_ts),
        "actions": [{**action, "action_ts": state.new_ts()}],
    }
    return payload if ephemeral else {**payload, "message": message_view(message)}


def view_click(state: State, user: User, action: dict[str, Any], view: OpenView) -> dict[str, Any]:
    """Return the payload of a click on a button in a view."""
    return {
        **_interaction(user, "block_actions"),
        "container": {"type": "view", "view_id": view.id},
        "view": view.payload(),
        "trigger_id": state.trigger(user.id, view.id),
        "actions": [{**action, "action_ts": state.new_ts()}],
    }


def submission(state: State, user: User, view: OpenView) -> dict[str, Any]:
    """Return the payload of a modal's submission."""
    return {
        **_interaction(user, "view_submission"),
        "view": view.payload(),
        "trigger_id": state.trigger(user.id, view.id),
        "response_urls": [],
    }


def _interaction(user: User, kind: str) -> dict[str, Any]:
    return {
        "type": kind,
        "token": "unused",
        "api_app_id": APP,
        "team": {"id": TEAM, "domain": "acme"},
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": TEAM},
        "is_enterprise_install": False,
        "enterprise": None,
    }
