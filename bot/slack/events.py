"""Reads Slack's payloads tolerantly into SlackRequest."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from bot.slack.request import Malformed, SlackRequest
from bot.slack.text import plain

Payload = dict[str, Any]
_ID = re.compile(r"[A-Z0-9]{1,64}", re.ASCII)
_EVENT = re.compile(r"[A-Za-z0-9]{1,64}", re.ASCII)
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def parse(body: bytes, content_type: str) -> Payload:
    """The payload in a request's body: JSON, a form (slash command), or JSON in a form's field `payload`.

    Raises Malformed, also for what no database can store (NUL, lone surrogates).
    """
    try:
        text = body.decode()
        if content_type.split(";", maxsplit=1)[0].strip().lower() == "application/json":
            payload = json.loads(text)
        else:
            form = dict(parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=200))
            payload = json.loads(form["payload"]) if "payload" in form else form
        return check(payload)
    except (ValueError, RecursionError) as error:
        raise Malformed("neither JSON nor a form") from error


def check(payload: object) -> Payload:
    """`payload` itself where it is an object that can be stored. Raises Malformed."""
    if not isinstance(payload, dict):
        raise Malformed("not an object")
    try:
        stored = json.dumps(payload, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise Malformed("not text") from error
    if _NUL.search(stored):
        raise Malformed("a NUL in a text")
    return payload


def delivery_id(payload: Payload, fallback: bytes) -> str:
    """Slack's event_id (the same on each retry); of a click or a submission a digest of what stays when Slack or an
    impatient finger sends the very same once more; else a digest of `fallback` (the timestamp and the body)."""
    event = payload.get("event_id") if payload.get("type") == "event_callback" else None
    if isinstance(event, str) and _EVENT.fullmatch(event):
        return event
    lasting = _lasting(payload)
    return hashlib.sha256(json.dumps(lasting).encode() if lasting else fallback).hexdigest()


def _lasting(payload: Payload) -> list[object]:
    """Who pressed what, where and when (a click's action_ts is its own); who submitted which state of which view."""
    user = _at(payload, "user", "id")
    if payload.get("type") == "block_actions":
        actions = payload.get("actions")
        action = actions[0] if isinstance(actions, list) and actions else None
        when = _at(action, "action_ts")
        places = [_at(payload, "container", key) for key in ("channel_id", "message_ts", "view_id")]
        return ["click", user, *places, _at(action, "action_id"), when] if user and when else []
    if payload.get("type") == "view_submission":
        view = [_at(payload, "view", key) for key in ("id", "hash")]
        return ["submission", user, *view] if user and all(view) else []
    return []


def _at(part: object, *path: str) -> str:
    """The text there, "" where there is none."""
    for key in path:
        part = part.get(key) if isinstance(part, dict) else None
    return part if isinstance(part, str) else ""


def read(payload: Payload, delivery: str) -> SlackRequest | None:
    """What a person asks for; None where nobody asks anything of us (the bot's own messages, edits, other events).

    Raises Malformed and nothing else.
    """
    kind = "command" if "command" in payload else payload.get("type")
    readers: dict[object, Callable[[Payload, str], SlackRequest | None]] = {
        "command": _command,
        "block_actions": _action,
        "view_submission": _submission,
        "event_callback": _event,
    }
    reader = readers.get(kind) if isinstance(kind, str) else None
    return reader(payload, delivery) if reader else None


def _command(payload: Payload, delivery: str) -> SlackRequest:
    _text(payload, "command")
    return SlackRequest(
        kind="command",
        team=_id(payload, "team_id"),
        user=_id(payload, "user_id"),
        user_name=_text(payload, "user_name"),
        channel=_id(payload, "channel_id"),
        channel_name=_text(payload, "channel_name"),
        text=plain(_text(payload, "text"), bot="-"),
        response_url=_text(payload, "response_url"),
        trigger_id=_text(payload, "trigger_id"),
        delivery_id=delivery,
    )


def _action(payload: Payload, delivery: str) -> SlackRequest:
    actions = payload.get("actions")
    if not isinstance(actions, list) or len(actions) != 1 or not isinstance(actions[0], dict):
        raise Malformed("actions: not a list of one object")
    action = actions[0]
    if not _text(action, "action_id"):
        raise Malformed("action_id: empty")
    _text(action, "block_id")
    user, channel = _part(payload, "user"), _part(payload, "channel")
    message, container = _part(payload, "message"), _part(payload, "container")
    return SlackRequest(
        kind="action",
        team=_team(payload, user),
        user=_id(user, "id"),
        user_name=_text(user, "username") or _text(user, "name"),
        channel=_id(channel, "id", empty=True),
        channel_name=_text(channel, "name"),
        thread_ts=_text(message, "thread_ts") or _text(container, "thread_ts"),
        message_ts=_text(container, "message_ts") or _text(message, "ts"),
        action_id=_text(action, "action_id"),
        value=_text(action, "value") or _text(_part(action, "selected_option"), "value"),
        response_url=_text(payload, "response_url"),
        trigger_id=_text(payload, "trigger_id"),
        view=_part(payload, "view"),
        delivery_id=delivery,
    )


def _submission(payload: Payload, delivery: str) -> SlackRequest:
    user, view = _part(payload, "user"), _part(payload, "view")
    if not view or not isinstance(_part(view, "state").get("values", {}), dict):
        raise Malformed("view: no object with values")
    return SlackRequest(
        kind="submission",
        team=_team(payload, user),
        user=_id(user, "id"),
        user_name=_text(user, "username") or _text(user, "name"),
        action_id=_text(view, "callback_id"),
        value=_text(view, "private_metadata"),
        trigger_id=_text(payload, "trigger_id"),
        view=view,
        delivery_id=delivery,
    )


def _event(payload: Payload, delivery: str) -> SlackRequest | None:
    event = _part(payload, "event")
    kind = _text(event, "type")
    if not kind:
        raise Malformed("event: no type")
    if kind == "app_home_opened" and _text(event, "tab") in ("", "home"):
        return SlackRequest(
            kind="home", team=_id(payload, "team_id"), user=_id(event, "user"), delivery_id=delivery
        )
    direct = kind == "message" and event.get("channel_type") == "im"
    if not (direct or kind == "app_mention") or any(
        event.get(sign) for sign in ("bot_id", "subtype", "edited")
    ):
        return None
    team = _writer(payload, event)
    if not team:
        return None  # nobody can say who that is
    return SlackRequest(
        kind="mention",
        team=team,
        user=_id(event, "user"),
        channel=_id(event, "channel"),
        text=plain(_text(event, "text"), bot=_bot(payload)),
        thread_ts=_text(event, "thread_ts"),
        message_ts=_text(event, "ts"),
        delivery_id=delivery,
    )


def _bot(payload: Payload) -> str:
    """The user id of the bot that this event is for, where Slack says it."""
    authorizations = payload.get("authorizations")
    first = authorizations[0] if isinstance(authorizations, list) and authorizations else {}
    return _text(first, "user_id") if isinstance(first, dict) and first.get("is_bot") is True else ""


def _team(payload: Payload, user: Payload) -> str:
    """The workspace of whoever clicked. Slack: `team` is the one that the app is in, null for a whole organisation's."""
    return _id(user, "team_id", empty=True) or _id(_part(payload, "team"), "id")


def _writer(payload: Payload, event: Payload) -> str:
    """The workspace of whoever wrote a message. Slack: `team_id` is the one that is told of it; in a channel shared with
    others `user_team`, else `team`, is the writer's, and may name their organisation (E…) instead."""
    told = _id(payload, "team_id")
    if payload.get("is_ext_shared_channel") is not True:
        return told
    writers = _id(event, "user_team", empty=True) or _id(event, "team", empty=True)
    return told if writers and writers == _text(payload, "enterprise_id") else writers


def _part(payload: Payload, key: str) -> Payload:
    value = payload.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed(f"{key}: not an object")
    return value


def _text(payload: Payload, key: str) -> str:
    value = payload.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Malformed(f"{key}: not a text")
    return value


def _id(payload: Payload, key: str, *, empty: bool = False) -> str:
    value = _text(payload, key)
    if not _ID.fullmatch(value) and not (empty and not value):
        raise Malformed(f"{key}: not an id")
    return value
