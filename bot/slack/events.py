"""Read Slack's payloads into a SlackRequest, tolerating fields and kinds that are not known."""

from __future__ import annotations

from collections.abc import Callable

from bot.slack.payload import Payload, id_field, object_field, text_field
from bot.slack.request import Malformed, SlackRequest
from bot.slack.text import plain


def read_request(payload: Payload, delivery: str) -> SlackRequest | None:
    """Return a person's request; None if the payload contains none (the bot's own messages, edits, other events).

    delivery: the unique delivery id. Raises Malformed and nothing else.
    """
    kind = "command" if "command" in payload else payload.get("type")
    readers: dict[object, Callable[[Payload, str], SlackRequest | None]] = {
        "command": _read_command,
        "block_actions": _read_click,
        "view_submission": _read_submission,
        "event_callback": _read_event,
    }
    reader = readers.get(kind) if isinstance(kind, str) else None
    return reader(payload, delivery) if reader else None


def _read_command(payload: Payload, delivery: str) -> SlackRequest:
    text_field(payload, "command")
    return SlackRequest(
        kind="command",
        team=id_field(payload, "team_id"),
        user=id_field(payload, "user_id"),
        user_name=text_field(payload, "user_name"),
        channel=id_field(payload, "channel_id"),
        channel_name=text_field(payload, "channel_name"),
        text=plain(text_field(payload, "text"), bot="-"),
        response_url=text_field(payload, "response_url"),
        trigger_id=text_field(payload, "trigger_id"),
        delivery_id=delivery,
    )


def _read_click(payload: Payload, delivery: str) -> SlackRequest:
    actions = payload.get("actions")
    if not isinstance(actions, list) or len(actions) != 1 or not isinstance(actions[0], dict):
        raise Malformed("actions is not a list of one object")
    action = actions[0]
    if not text_field(action, "action_id"):
        raise Malformed("action_id is empty")
    text_field(action, "block_id")
    user, channel = object_field(payload, "user"), object_field(payload, "channel")
    message, container = object_field(payload, "message"), object_field(payload, "container")
    return SlackRequest(
        kind="action",
        team=_clicker_team(payload, user),
        user=id_field(user, "id"),
        user_name=text_field(user, "username") or text_field(user, "name"),
        channel=id_field(channel, "id", optional=True),
        channel_name=text_field(channel, "name"),
        thread_ts=text_field(message, "thread_ts") or text_field(container, "thread_ts"),
        message_ts=text_field(container, "message_ts") or text_field(message, "ts"),
        action_id=text_field(action, "action_id"),
        value=text_field(action, "value") or text_field(object_field(action, "selected_option"), "value"),
        response_url=text_field(payload, "response_url"),
        trigger_id=text_field(payload, "trigger_id"),
        view=object_field(payload, "view"),
        delivery_id=delivery,
    )


def _read_submission(payload: Payload, delivery: str) -> SlackRequest:
    user, view = object_field(payload, "user"), object_field(payload, "view")
    if not view or not isinstance(object_field(view, "state").get("values", {}), dict):
        raise Malformed("view is not an object with values")
    return SlackRequest(
        kind="submission",
        team=_clicker_team(payload, user),
        user=id_field(user, "id"),
        user_name=text_field(user, "username") or text_field(user, "name"),
        action_id=text_field(view, "callback_id"),
        value=text_field(view, "private_metadata"),
        trigger_id=text_field(payload, "trigger_id"),
        view=view,
        delivery_id=delivery,
    )


def _read_event(payload: Payload, delivery: str) -> SlackRequest | None:
    event = object_field(payload, "event")
    kind = text_field(event, "type")
    if not kind:
        raise Malformed("event has no type")
    if kind == "app_home_opened" and text_field(event, "tab") in ("", "home"):
        return SlackRequest(
            kind="home", team=id_field(payload, "team_id"), user=id_field(event, "user"), delivery_id=delivery
        )
    direct = kind == "message" and event.get("channel_type") == "im"
    if not (direct or kind == "app_mention") or any(
        event.get(key) for key in ("bot_id", "subtype", "edited")
    ):
        return None
    team = _author_team(payload, event)
    if not team:
        return None  # the author cannot be identified
    return SlackRequest(
        kind="mention",
        team=team,
        user=id_field(event, "user"),
        channel=id_field(event, "channel"),
        text=plain(text_field(event, "text"), bot=_bot_user(payload)),
        thread_ts=text_field(event, "thread_ts"),
        message_ts=text_field(event, "ts"),
        delivery_id=delivery,
    )


def _bot_user(payload: Payload) -> str:
    """Return the user id of the bot that this event is for, or "" if Slack does not send it."""
    authorizations = payload.get("authorizations")
    first = authorizations[0] if isinstance(authorizations, list) and authorizations else {}
    return text_field(first, "user_id") if isinstance(first, dict) and first.get("is_bot") is True else ""


def _clicker_team(payload: Payload, user: Payload) -> str:
    """Return the workspace of the person who clicked.

    Slack: `user.team_id` if present. `team` is the workspace where the app is installed, and null for an app installed
    across an organization.
    """
    return id_field(user, "team_id", optional=True) or id_field(object_field(payload, "team"), "id")


def _author_team(payload: Payload, event: Payload) -> str:
    """Return the workspace of the message's author, or "" if it is unknown.

    Slack: `team_id` is the workspace that receives the event. `user_team`, else `source_team`, else `team`, is the author's,
    and may be the id of an organization (E…) instead. Only without any of them, and outside of channels that are shared with
    other workspaces, is it the receiver's. Whether the author is a member there is asked when the request is processed.
    """
    receiver = id_field(payload, "team_id")
    named = (id_field(event, key, optional=True) for key in ("user_team", "source_team", "team"))
    author = next((team for team in named if team), "")
    if not author:
        return "" if payload.get("is_ext_shared_channel") is True else receiver
    return receiver if author == text_field(payload, "enterprise_id") else author
