"""Methods views.*: a stack of at most three modals, and the Home tab."""

from __future__ import annotations

import secrets
from typing import Any

from bot.playground.slack.methods.common import Method, Params, required
from bot.playground.slack.model import OpenView, Trigger
from bot.playground.slack.refusal import Refusal
from bot.playground.slack.state import State
from bot.playground.slack.validation import validated_view

TRIGGER_SECONDS = 3.0
MAX_STACK = 3
"""One opened view and two pushed onto it."""


def open_view(state: State, params: Params) -> dict[str, Any]:
    """views.open."""
    trigger = _trigger(state, params)
    view = validated_view(params.get("view"), "modal")
    trigger.used = True
    state.views[trigger.user] = [_new_view(state, trigger.user, view)]
    return {"view": state.views[trigger.user][0].payload()}


def push(state: State, params: Params) -> dict[str, Any]:
    """views.push."""
    trigger = _trigger(state, params)
    stack = state.views.get(trigger.user, [])
    if not trigger.view or not any(each.id == trigger.view for each in stack):
        raise Refusal("not_found")
    view = push_view(state, stack, validated_view(params.get("view"), "modal"))
    trigger.used = True
    return {"view": view.payload()}


def update(state: State, params: Params) -> dict[str, Any]:
    """views.update."""
    (name,) = required(params, "view_id")
    for stack in state.views.values():
        for view in stack:
            if view.id == name:
                if params.get("hash") not in (None, "", view.hash):
                    raise Refusal("hash_conflict")
                replace_view(view, validated_view(params.get("view"), "modal"))
                return {"view": view.payload()}
    raise Refusal("not_found")


def publish(state: State, params: Params) -> dict[str, Any]:
    """views.publish."""
    (user,) = required(params, "user_id")
    if user not in state.users:
        raise Refusal("user_not_found")
    home = state.homes.get(user)
    if home and params.get("hash") not in (None, "", home.hash):
        raise Refusal("hash_conflict")
    state.homes[user] = _new_view(state, user, validated_view(params.get("view"), "home"))
    return {"view": state.homes[user].payload()}


def _new_view(state: State, user: str, view: dict[str, Any]) -> OpenView:
    """Return a newly opened view."""
    name = state.new_id("V")
    return OpenView(name, user, view, _hash(), root=name)


def push_view(state: State, stack: list[OpenView], view: dict[str, Any]) -> OpenView:
    """Push a view onto the stack. Raises Refusal("push_limit_reached")."""
    if len(stack) >= MAX_STACK:
        raise Refusal("push_limit_reached")
    new = _new_view(state, stack[-1].user, view)
    new.root, new.previous = stack[0].id, stack[-1].id
    stack.append(new)
    return new


def replace_view(view: OpenView, new: dict[str, Any]) -> None:
    """Replace the content of an open view."""
    view.view, view.hash, view.errors, view.failure = new, _hash(), {}, ""


def _hash() -> str:
    return secrets.token_hex(8)


def _trigger(state: State, params: Params) -> Trigger:
    (name,) = required(params, "trigger_id")
    trigger = state.triggers.get(name)
    if trigger is None:
        raise Refusal("invalid_trigger_id")
    if trigger.used:
        raise Refusal("exchanged_trigger_id")
    if state.clock() - trigger.created > TRIGGER_SECONDS:
        raise Refusal("expired_trigger_id")
    return trigger


METHODS: dict[str, Method] = {
    "views.open": open_view,
    "views.push": push,
    "views.update": update,
    "views.publish": publish,
}
