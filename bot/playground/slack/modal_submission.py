"""Submission of a modal: its values, and the effect of the bot's answer."""

from __future__ import annotations

from typing import Any

from bot.playground.slack.methods.views import push_view, replace_view
from bot.playground.slack.model import Answer, OpenView
from bot.playground.slack.refusal import NotOffered, Refusal
from bot.playground.slack.state import State
from bot.playground.slack.validation import validated_view

CONNECTION_FAILED = "We had some trouble connecting. Try again?"


def field_values(blocks: list[dict[str, Any]], values: dict[str, Any]) -> dict[str, Any]:
    """Return the state of a view with these values: block id to text, or to one or several chosen options.

    Raises NotOffered if a required field is empty, a text is too short or too long, or a field or option is unknown.
    """
    fields = {block["block_id"]: block for block in blocks if block["type"] == "input"}
    if unknown := set(values) - set(fields):
        raise NotOffered(f"unknown field: {', '.join(sorted(unknown))}")
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
            raise NotOffered(f"unknown option {value}")
        return {"type": kind, "selected_option": offered.get(value)}
    if kind in ("checkboxes", "multi_static_select"):
        chosen = list(value or ())
        if set(chosen) - set(offered):
            raise NotOffered(f"unknown option {chosen}")
        return {"type": kind, "selected_options": [offered[name] for name in chosen]}
    return {"type": kind, **(value or {})}


def apply_answer(state: State, user: str, view: OpenView, answer: Answer) -> None:
    """Close the view, or apply the answer's `response_action`: errors, update, push or clear."""
    stack = state.views.get(user, [])
    view.errors, view.failure = {}, ""
    action = answer.body.get("response_action") if answer.ok else "failed"
    try:
        if view not in stack:
            return
        if action == "errors":
            view.errors = _errors(view, answer.body.get("errors"))
        elif action == "update":
            replace_view(view, validated_view(answer.body.get("view"), "modal"))
        elif action == "push":
            push_view(state, stack, validated_view(answer.body.get("view"), "modal"))
        elif action == "clear":
            stack.clear()
        elif action is None:
            stack.remove(view)
        else:
            view.failure = CONNECTION_FAILED
    except Refusal:
        view.failure = CONNECTION_FAILED


def _errors(view: OpenView, errors: object) -> dict[str, str]:
    """Return the errors by block id. Raises Refusal if they do not name input blocks."""
    names = {block["block_id"] for block in view.view["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or set(errors) - names:
        raise Refusal("invalid_arguments")
    return {str(name): str(text) for name, text in errors.items()}
