"""Parse the body of a request from Slack, read its fields, and give it a unique delivery id."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any
from urllib.parse import parse_qsl

from bot.slack.request import Malformed

Payload = dict[str, Any]
_ID = re.compile(r"[A-Z0-9]{1,64}", re.ASCII)
_EVENT_ID = re.compile(r"[A-Za-z0-9]{1,64}", re.ASCII)
_TIMESTAMP = re.compile(r"\d{1,10}(?:\.\d{1,6})?", re.ASCII)
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def parse_payload(body: bytes, content_type: str) -> Payload:
    """Return the payload of a request: JSON, a form (slash command), or JSON in a form's field `payload`.

    Raises Malformed, also for text that no database can store (NUL, lone surrogates).
    """
    try:
        text = body.decode()
        if content_type.split(";", maxsplit=1)[0].strip().lower() == "application/json":
            payload = json.loads(text)
        else:
            form = dict(parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=200))
            payload = json.loads(form["payload"]) if "payload" in form else form
        return check_payload(payload)
    except (ValueError, RecursionError) as error:
        raise Malformed("neither JSON nor a form") from error


def check_payload(payload: object) -> Payload:
    """Return `payload` if it is an object that can be stored. Raises Malformed."""
    if not isinstance(payload, dict):
        raise Malformed("not an object")
    try:
        encoded = json.dumps(payload, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise Malformed("not valid text") from error
    if _NUL.search(encoded):
        raise Malformed("contains a NUL character")
    return payload


def delivery_id(payload: Payload, fallback: bytes) -> str:
    """Return an id that is the same whenever Slack or an impatient user sends the same thing again.

    It is Slack's event_id; for a click or a submission, a digest of the fields that a repetition shares; otherwise a
    digest of `fallback` (timestamp and body).
    """
    event = payload.get("event_id") if payload.get("type") == "event_callback" else None
    if isinstance(event, str) and _EVENT_ID.fullmatch(event):
        return event
    key = _deduplication_key(payload)
    return hashlib.sha256(json.dumps(key).encode() if key else fallback).hexdigest()


def _deduplication_key(payload: Payload) -> list[object]:
    """Return what identifies a click (user, place, button, action_ts) or a submission (user, view, its state's hash)."""
    user = _text_at(payload, "user", "id")
    if payload.get("type") == "block_actions":
        actions = payload.get("actions")
        action = actions[0] if isinstance(actions, list) and actions else None
        clicked_at = _text_at(action, "action_ts")
        place = [_text_at(payload, "container", key) for key in ("channel_id", "message_ts", "view_id")]
        return (
            ["click", user, *place, _text_at(action, "action_id"), clicked_at] if user and clicked_at else []
        )
    if payload.get("type") == "view_submission":
        view = [_text_at(payload, "view", key) for key in ("id", "hash")]
        return ["submission", user, *view] if user and all(view) else []
    return []


def written_at(payload: Payload, request_timestamp: str) -> float:
    """Return when the person wrote or clicked, in seconds since 1970 by Slack's clock: the message's or click's own time,
    else that of the signed request ("" in Socket Mode); 0 if Slack does not say. Never raises."""
    actions = payload.get("actions")
    action = actions[0] if isinstance(actions, list) and actions else None
    own = _text_at(payload, "event", "ts") or _text_at(payload, "event", "event_ts")
    for text in (own, _text_at(action, "action_ts"), request_timestamp):
        if _TIMESTAMP.fullmatch(text):
            return float(text)
    return 0.0


def _text_at(part: object, *path: str) -> str:
    """Return the string at `path`, or "". Never raises."""
    for key in path:
        part = part.get(key) if isinstance(part, dict) else None
    return part if isinstance(part, str) else ""


def object_field(payload: Payload, key: str) -> Payload:
    """Return an object; empty if it is missing or null. Raises Malformed."""
    value = payload.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed(f"{key} is not an object")
    return value


def text_field(payload: Payload, key: str) -> str:
    """Return a string; empty if it is missing or null. Raises Malformed."""
    value = payload.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Malformed(f"{key} is not a string")
    return value


def id_field(payload: Payload, key: str, *, optional: bool = False) -> str:
    """Return an id of Slack's, such as `U012AB3CD`. optional: it may be missing or empty. Raises Malformed."""
    value = text_field(payload, key)
    if not _ID.fullmatch(value) and not (optional and not value):
        raise Malformed(f"{key} is not an id")
    return value
