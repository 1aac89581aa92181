"""auth.test, users.* and apps.connections.open."""

from __future__ import annotations

from typing import Any

from bot.playground.slack.methods.common import Method, Params, page, required
from bot.playground.slack.model import User
from bot.playground.slack.refusal import Refused
from bot.playground.slack.state import APP, BOT, BOT_ID, TEAM, State


def _shown(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "team_id": TEAM,
        "name": user.name,
        "real_name": user.full_name,
        "deleted": False,
        "is_bot": user.bot,
        "tz": "Europe/Berlin",
        "profile": {"display_name": user.name, "real_name": user.full_name},
    }


def auth_test(state: State, _params: Params) -> dict[str, Any]:
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
    (user,) = required(params, "user")
    if user not in state.users:
        raise Refused("user_not_found")
    return {"user": _shown(state.users[user])}


def listing(state: State, params: Params) -> dict[str, Any]:
    users, more = page(list(state.users.values()), params, 1000)
    return {"members": [_shown(user) for user in users], **more}


def connect(state: State, _params: Params) -> dict[str, Any]:
    if state.open_socket is None:
        raise Refused("socket_mode_disabled")
    return {"url": state.open_socket()}


METHODS: dict[str, Method] = {
    "auth.test": auth_test,
    "users.info": info,
    "users.list": listing,
    "apps.connections.open": connect,
}
