"""Methods auth.test, users.* and apps.connections.open."""

from __future__ import annotations

from typing import Any

from bot.playground.slack.methods.common import Method, Params, page, required
from bot.playground.slack.model import User
from bot.playground.slack.refusal import Refusal
from bot.playground.slack.state import APP, BOT, BOT_ID, TEAM, State


def _view(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "team_id": user.team,
        "name": user.name,
        "real_name": user.full_name,
        "deleted": False,
        "is_bot": user.bot,
        **({"is_stranger": False} if user.team != TEAM else {}),
        "tz": "Europe/Berlin",
        "profile": {"display_name": user.name, "real_name": user.full_name},
    }


def auth_test(state: State, _params: Params) -> dict[str, Any]:
    """auth.test."""
    return {
        "url": f"{state.url}/",
        "team": "Acme",
        "team_id": TEAM,
        "user": BOT.name,
        "user_id": BOT.id,
        "bot_id": BOT_ID,
        "app_id": APP,
    }


def info(state: State, params: Params) -> dict[str, Any]:
    """users.info."""
    (user,) = required(params, "user")
    if user not in state.users:
        raise Refusal("user_not_found")
    return {"user": _view(state.users[user])}


def list_users(state: State, params: Params) -> dict[str, Any]:
    """users.list."""
    users, more = page(list(state.users.values()), params, 1000)
    return {"members": [_view(user) for user in users], **more}


def open_connection(state: State, _params: Params) -> dict[str, Any]:
    """apps.connections.open."""
    if state.open_socket is None:
        raise Refusal("socket_mode_disabled")
    return {"url": state.open_socket()}


METHODS: dict[str, Method] = {
    "auth.test": auth_test,
    "users.info": info,
    "users.list": list_users,
    "apps.connections.open": open_connection,
}
