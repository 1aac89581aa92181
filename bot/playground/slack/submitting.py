"""A modal's values, and what its window does with the bot's answer."""

from __future__ import annotations

from typing import Any

from bot.playground.slack.checks import checked_view
from bot.playground.slack.methods.views import change, push
from bot.playground.slack.model import Answer, OpenView
from bot.playground.slack.refusal import NotOffered, Refused
from bot.playground.slack.state import State

TROUBLE = "We had some trouble connecting. Try again?"


def filled(blocks: list[dict[str, Any]], values: dict[str, Any]) -> dict[str, Any]:
    """The view's state. Raises NotOffered for a required field left empty, a text too short or too long, a field or an
    option that is not there."""
    fields = {block["block_id"]: block for block in blocks if block["type"] == "input"}
    if unknown := set(values) - set(fields):
        raise NotOffered(f"no such field: {', '.join(sorted(unknown))}")
    state: dict[str, Any] = {}
    for name, block in fields.items():
        element, value = block["element"], values.get(name)
        if value in (None, "") and not block.get("optional"):
            raise NotOffered(f"{name} is required")
        state[name] = {element["action_id"]: _value(element, value)}
    return state


def _value(element: dict[str, Any], value: Any) -> dict[str, Any]:
    kind = element["type"]
    if kind.endswith("_input"):
        if value and not element.get("min_length", 0) <= len(value) <= element.get("max_length", 3000):
            raise NotOffered(f"{element['action_id']} is too short or too long")
        return {"type": kind, "value": value}
    offered = {option["value"]: option for option in element.get("options") or ()}
    if kind in ("static_select", "radio_buttons"):
        if value is not None and value not in offered:
            raise NotOffered(f"no option {value}")
        return {"type": kind, "selected_option": offered.get(value)}
    if kind in ("checkboxes", "multi_static_select"):
        chosen = list(value or ())
        if set(chosen) - set(offered):
            raise NotOffered(f"no option {chosen}")
        return {"type": kind, "selected_options": [offered[name] for name in chosen]}
    return {"type": kind, **(value or {})}


def answered(state: State, user: str, view: OpenView, answer: Answer) -> None:
    """Close the view, or do what `response_action` says: errors, update, push, clear."""
    stack = state.views.get(user, [])
    view.errors, view.trouble = {}, ""
    action = answer.body.get("response_action") if answer.ok else "trouble"
    try:
        if view not in stack:
            return
        if action == "errors":
            view.errors = _errors(view, answer.body.get("errors"))
        elif action == "update":
            change(view, checked_view(answer.body.get("view"), "modal"))
        elif action == "push":
            push(state, stack, checked_view(answer.body.get("view"), "modal"))
        elif action == "clear":
            stack.clear()
        elif action is None:
            stack.remove(view)
        else:
            view.trouble = TROUBLE
    except Refused:
        view.trouble = TROUBLE


def _errors(view: OpenView, errors: object) -> dict[str, str]:
    """Errors must name input blocks, or Slack shows its own trouble instead."""
    names = {block["block_id"] for block in view.view["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or set(errors) - names:
        raise Refused("invalid_arguments")
    return {str(name): str(text) for name, text in errors.items()}
