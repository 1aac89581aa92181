"""views.*: modals in a stack of at most three, and the Home tab."""

from __future__ import annotations

import secrets
from typing import Any

from bot.playground.slack.checks import checked_view
from bot.playground.slack.methods.common import Method, Params, required
from bot.playground.slack.model import OpenView, Trigger
from bot.playground.slack.refusal import Refused
from bot.playground.slack.state import State

TRIGGER_SECONDS = 3.0
STACK = 3
"""An opened view and two pushed onto it."""


def opened(state: State, params: Params) -> dict[str, Any]:
    trigger = _trigger(state, params)
    view = checked_view(params.get("view"), "modal")
    trigger.used = True
    state.views[trigger.user] = [made(state, trigger.user, view)]
    return {"view": state.views[trigger.user][0].payload()}


def pushed(state: State, params: Params) -> dict[str, Any]:
    trigger = _trigger(state, params)
    stack = state.views.get(trigger.user, [])
    if not trigger.view or not any(each.id == trigger.view for each in stack):
        raise Refused("not_found")
    view = push(state, stack, checked_view(params.get("view"), "modal"))
    trigger.used = True
    return {"view": view.payload()}


def updated(state: State, params: Params) -> dict[str, Any]:
    (name,) = required(params, "view_id")
    for stack in state.views.values():
        for view in stack:
            if view.id == name:
                if params.get("hash") not in (None, "", view.hash):
                    raise Refused("hash_conflict")
                change(view, checked_view(params.get("view"), "modal"))
                return {"view": view.payload()}
    raise Refused("not_found")


def published(state: State, params: Params) -> dict[str, Any]:
    (user,) = required(params, "user_id")
    if user not in state.users:
        raise Refused("user_not_found")
    home = state.homes.get(user)
    if home and params.get("hash") not in (None, "", home.hash):
        raise Refused("hash_conflict")
    state.homes[user] = made(state, user, checked_view(params.get("view"), "home"))
    return {"view": state.homes[user].payload()}


def made(state: State, user: str, view: dict[str, Any]) -> OpenView:
    """A view on the screen for the first time."""
    name = state.new_id("V")
    return OpenView(name, user, view, _hash(), root=name)


def push(state: State, stack: list[OpenView], view: dict[str, Any]) -> OpenView:
    """A view upon the others. Raises Refused("push_limit_reached")."""
    if len(stack) >= STACK:
        raise Refused("push_limit_reached")
    new = made(state, stack[-1].user, view)
    new.root, new.previous = stack[0].id, stack[-1].id
    stack.append(new)
    return new


def change(view: OpenView, new: dict[str, Any]) -> None:
    """Another content in the same window."""
    view.view, view.hash, view.errors, view.trouble = new, _hash(), {}, ""


def _hash() -> str:
    return secrets.token_hex(8)


def _trigger(state: State, params: Params) -> Trigger:
    (name,) = required(params, "trigger_id")
    trigger = state.triggers.get(name)
    if trigger is None:
        raise Refused("invalid_trigger_id")
    if trigger.used:
        raise Refused("exchanged_trigger_id")
    if state.clock() - trigger.made > TRIGGER_SECONDS:
        raise Refused("expired_trigger_id")
    return trigger


METHODS: dict[str, Method] = {
    "views.open": opened,
    "views.push": pushed,
    "views.update": updated,
    "views.publish": published,
}
