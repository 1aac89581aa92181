"""Limits of Block Kit texts from Slack's reference that slack_sdk's models do not check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_TEXTS = {"section": 3000, "header": 150}


def size_problems(block: dict[str, Any]) -> Iterator[str]:
    """Yield Slack's errors about the size of a block's texts."""
    kind = block["type"]
    if kind in _TEXTS and block.get("text") is not None:
        yield from _text(block["text"], _TEXTS[kind], f"{kind}.text")
    if kind == "header" and block.get("text", {}).get("type") != "plain_text":
        yield "header.text must be plain_text"
    for field in block.get("fields") or ():
        yield from _text(field, 2000, "section.fields")
    if kind in ("actions", "context"):
        most = 25 if kind == "actions" else 10
        if not 1 <= len(block.get("elements") or ()) <= most:
            yield f"{kind}.elements must be 1 to {most}"
    for element in block.get("elements") or () if kind == "context" else ():
        if element.get("type") != "image":
            yield from _text(element, 3000, "context.elements")
    buttons = [*(block.get("elements") or ()), block.get("accessory") or {}] if kind != "rich_text" else []
    for button in buttons:
        if button.get("type") == "button":
            yield from _button(button)
    if kind == "input":
        yield from _text(block.get("label"), 2000, "input.label")
        if isinstance(block.get("element"), dict):
            yield from _input(block["element"])


def _button(button: dict[str, Any]) -> Iterator[str]:
    yield from _text(button.get("text"), 75, "button.text")
    if button.get("text", {}).get("type") != "plain_text":
        yield "button.text must be plain_text"
    if button.get("action_id") == "":
        yield "button.action_id must not be empty"
    for name, most in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
        if button.get("confirm"):
            yield from _text(button["confirm"].get(name), most, f"confirm.{name}")


def _input(element: dict[str, Any]) -> Iterator[str]:
    """Yield errors of a text field: 0 <= min_length <= max_length <= 3000, and max_length is at least 1."""
    least, most = element.get("min_length", 0), element.get("max_length", 3000)
    if not isinstance(least, int) or not isinstance(most, int) or not 0 <= least <= most <= 3000 or most < 1:
        yield "input.element: min_length and max_length must be within 0 to 3000, in this order"
    if element.get("placeholder"):
        yield from _text(element["placeholder"], 150, "input.element.placeholder")


def _text(value: object, most: int, where: str) -> Iterator[str]:
    text = value.get("text") if isinstance(value, dict) else None
    if (
        not isinstance(value, dict)
        or value.get("type") not in ("plain_text", "mrkdwn")
        or not isinstance(text, str)
    ):
        yield f"{where}: a text object is required"
    elif not 1 <= len(text) <= most:
        yield f"{where} must be 1 to {most} characters"
