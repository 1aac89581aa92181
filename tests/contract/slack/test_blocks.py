"""The stand-in refuses what Slack's reference refuses, and takes what slack_sdk's models make."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk.models import blocks as kit
from slack_sdk.models.views import View

from bot.playground.slack.refusal import Refusal
from bot.playground.slack.validation import validated_blocks, validated_metadata, validated_view


def words(size: int) -> str:
    return "x" * size


def text(size: int, kind: str = "mrkdwn") -> dict[str, Any]:
    return {"type": kind, "text": words(size)}


def section(size: int = 1, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": text(size), **more}


def button(size: int = 1, **more: Any) -> dict[str, Any]:
    return {"type": "button", "text": text(size, "plain_text"), "action_id": "a", **more}


def actions(*elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements), **more}


def confirm(**sizes: int) -> dict[str, Any]:
    return {name: text(sizes.get(name, 1), "plain_text") for name in ("title", "text", "confirm", "deny")}


AT_THE_LIMIT: dict[str, list[dict[str, Any]]] = {
    "50 blocks": [section()] * 50,
    "section": [section(3000)],
    "fields": [{"type": "section", "fields": [text(2000)] * 10}],
    "header": [{"type": "header", "text": text(150, "plain_text")}],
    "context": [{"type": "context", "elements": [text(3000)] * 10}],
    "actions": [actions(*(button(action_id=f"a{number}") for number in range(25)))],
    "button": [actions(button(75, value=words(2000), action_id=words(255)))],
    "url": [actions(button(url="https://" + words(2992)))],
    "block_id": [section(block_id=words(255))],
    "confirm": [actions(button(confirm=confirm(title=100, text=300, confirm=30, deny=30)))],
    "markdown": [{"type": "markdown", "text": words(6000)}] * 2,
    "accessory": [section(accessory=button())],
    "divider": [{"type": "divider"}],
}
TOO_MUCH: dict[str, list[Any]] = {
    "51 blocks": [section()] * 51,
    "section": [section(3001)],
    "empty section": [{"type": "section"}],
    "empty text": [section(0)],
    "fields": [{"type": "section", "fields": [text(1)] * 11}],
    "field": [{"type": "section", "fields": [text(2001)]}],
    "header": [{"type": "header", "text": text(151, "plain_text")}],
    "header in mrkdwn": [{"type": "header", "text": text(1)}],
    "context": [{"type": "context", "elements": [text(1)] * 11}],
    "no elements": [actions()],
    "actions": [actions(*(button(action_id=f"a{number}") for number in range(26)))],
    "button": [actions(button(76))],
    "button in mrkdwn": [actions({**button(), "text": text(1)})],
    "value": [actions(button(value=words(2001)))],
    "action_id": [actions(button(action_id=words(256)))],
    "action_id twice": [actions(button(), button())],
    "url": [actions(button(url="https://" + words(2993)))],
    "style": [actions(button(style="loud"))],
    "block_id": [section(block_id=words(256))],
    "block_id twice": [section(block_id="b"), section(block_id="b")],
    "confirm": [actions(button(confirm=confirm(title=101)))],
    "confirm text": [actions(button(confirm=confirm(text=301)))],
    "deny": [actions(button(confirm=confirm(deny=31)))],
    "markdown": [{"type": "markdown", "text": words(6001)}] * 2,
    "unknown block": [{"type": "carousel_of_fun"}],
    "unknown key": [section(colour="red")],
    "unknown key of a button": [actions(button(colour="red"))],
    "no type": [{"text": text(1)}],
    "no block": ["section"],
    "text in actions": [actions(text(1))],
}


@pytest.mark.parametrize("name", AT_THE_LIMIT)
def test_at_the_limit(name: str) -> None:
    kept = validated_blocks(AT_THE_LIMIT[name])
    assert len({block["block_id"] for block in kept}) == len(kept)


@pytest.mark.parametrize("name", TOO_MUCH)
def test_too_much(name: str) -> None:
    with pytest.raises(Refusal) as caught:
        validated_blocks(TOO_MUCH[name])
    assert caught.value.error == "invalid_blocks"
    assert caught.value.messages


def test_models_of_slack_sdk_are_taken_as_they_are() -> None:
    made = [
        kit.HeaderBlock(text=kit.PlainTextObject(text="Plan")),
        kit.SectionBlock(
            text=kit.MarkdownTextObject(text="*prod*"), fields=[kit.MarkdownTextObject(text="a")]
        ),
        kit.ActionsBlock(elements=[kit.ButtonElement(text="Approve", action_id="approve", style="primary")]),
        kit.ContextBlock(elements=[kit.MarkdownTextObject(text="by ann")]),
        kit.DividerBlock(),
        kit.MarkdownBlock(text="**x**"),
        kit.RichTextBlock(elements=[kit.RichTextSectionElement(elements=[])]),
    ]
    given = [block.to_dict() for block in made]
    kept = validated_blocks(given)
    assert [{**block, "block_id": "b"} for block in kept] == [{**block, "block_id": "b"} for block in given]


def view(**changes: Any) -> dict[str, Any]:
    title = {"type": "plain_text", "text": "Link"}
    return {"type": "modal", "title": title, "blocks": [section()], **changes}


INPUT = {
    "type": "input",
    "block_id": "reason",
    "label": {"type": "plain_text", "text": "Why?"},
    "element": {"type": "plain_text_input", "action_id": "text"},
}


def test_views() -> None:
    assert validated_view(view(blocks=[section()] * 100), "modal")["callback_id"] == ""
    assert validated_view({"type": "home", "blocks": [section()]}, "home")
    assert validated_view(view(blocks=[INPUT], submit=text(24, "plain_text")), "modal")
    assert validated_view(View(type="modal", title="x", blocks=[kit.DividerBlock()]).to_dict(), "modal")


@pytest.mark.parametrize(
    "changes",
    [
        {"blocks": [section()] * 101},
        {"blocks": []},
        {"blocks": [INPUT]},
        {"title": text(25, "plain_text")},
        {"title": None},
        {"submit": text(25, "plain_text")},
        {"close": text(25, "plain_text")},
        {"private_metadata": words(3001)},
        {"callback_id": words(256)},
        {"type": "home"},
        {"colour": "red"},
    ],
)
def test_refused_views(changes: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as caught:
        validated_view(view(**changes), "modal")
    assert caught.value.error == "invalid_arguments"


def test_metadata() -> None:
    assert (
        validated_metadata('{"event_type": "towpath", "event_payload": {"key": "k"}}')["event_type"]
        == "towpath"
    )
    for value, word in (
        ("no", "invalid_metadata_format"),
        ({"event_type": "towpath"}, "invalid_metadata_schema"),
        ({"event_type": "", "event_payload": {}}, "invalid_metadata_schema"),
        ({"event_type": "t", "event_payload": {"a": {"b": 1}}}, "invalid_metadata_schema"),
        ({"event_type": "t", "event_payload": {"a": words(16_000)}}, "metadata_too_large"),
    ):
        with pytest.raises(Refusal) as caught:
            validated_metadata(value)
        assert caught.value.error == word
