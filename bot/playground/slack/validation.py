"""Validation of blocks, views and metadata, by slack_sdk's models plus the limits that they leave out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block, BlockElement, InteractiveElement
from slack_sdk.models.views import View

from bot.playground.slack.refusal import Refusal
from bot.playground.slack.text_limits import size_problems

MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100
METADATA_BYTES = 16_000
_MALFORMED = (AttributeError, IndexError, KeyError, TypeError, ValueError, SlackObjectFormationError)


def validated_blocks(
    blocks: object, most: int = MESSAGE_BLOCKS, *, error: str = "invalid_blocks"
) -> list[dict[str, Any]]:
    """Return blocks as Slack stores them, with all block_ids and action_ids. Raises Refusal(error)."""
    if isinstance(blocks, str):
        blocks = _decoded(blocks, "invalid_blocks_format")
    if not isinstance(blocks, list):
        raise Refusal("invalid_blocks_format")
    problems = list(_problems(blocks, most))
    if problems:
        raise Refusal(error, [f"[ERROR] {problem}" for problem in problems])
    return [_with_ids(block, index) for index, block in enumerate(blocks)]


def validated_view(view: object, kind: str) -> dict[str, Any]:
    """Return a view of this kind (`modal` or `home`) as Slack stores it. Raises Refusal("invalid_arguments")."""
    if isinstance(view, str):
        view = _decoded(view, "invalid_arguments")
    if not isinstance(view, dict) or view.get("type") != kind:
        raise Refusal("invalid_arguments", [f"[ERROR] view.type must be {kind}"])
    problems = [f"unknown key {key}" for key in set(view) - View.attributes]
    if kind == "modal" and not view.get("title"):
        problems.append("missing required field: title")
    if any(block.get("type") == "input" for block in view.get("blocks") or []) and not view.get("submit"):
        problems += ["missing required field: submit"] if kind == "modal" else []
    try:
        View(**view).to_dict()
    except _MALFORMED as error:
        problems.append(str(error))
    if problems:
        raise Refusal("invalid_arguments", [f"[ERROR] {problem}" for problem in problems])
    blocks = validated_blocks(view.get("blocks"), VIEW_BLOCKS, error="invalid_arguments")
    return {"callback_id": "", "private_metadata": "", **view, "blocks": blocks, "state": {"values": {}}}


def validated_metadata(metadata: object) -> dict[str, Any]:
    """Return a message's metadata: an event_type and an event_payload. Raises Refusal."""
    if isinstance(metadata, str):
        metadata = _decoded(metadata, "invalid_metadata_format")
    if not isinstance(metadata, dict):
        raise Refusal("invalid_metadata_format")
    if not metadata:
        return {}
    kind, payload = metadata.get("event_type"), metadata.get("event_payload")
    if not isinstance(kind, str) or not kind or not isinstance(payload, dict) or len(metadata) != 2:
        raise Refusal("invalid_metadata_schema")
    if any(isinstance(value, dict) for value in payload.values()):
        raise Refusal("invalid_metadata_schema", ["[ERROR] nested objects are not allowed"])
    if len(json.dumps(metadata).encode()) > METADATA_BYTES:
        raise Refusal("metadata_too_large")
    return metadata


def _problems(blocks: list[Any], most: int) -> Iterator[str]:
    if len(blocks) > most:
        yield f"no more than {most} items allowed [json-pointer:/blocks]"
    for index, block in enumerate(blocks):
        try:
            parsed = Block.parse(block)
            if parsed is None:
                yield f"unsupported type [json-pointer:/blocks/{index}]"
                continue
            parsed.to_dict()
            yield from (f"{problem} [json-pointer:/blocks/{index}]" for problem in _details(block, parsed))
        except _MALFORMED as error:
            yield f"{error} [json-pointer:/blocks/{index}]"
    shapes = [block for block in blocks if isinstance(block, dict)]
    names = Counter(block["block_id"] for block in shapes if isinstance(block.get("block_id"), str))
    yield from (f"block_id {name} appears more than once" for name, count in names.items() if count > 1)
    markdown = [block.get("text") for block in shapes if block.get("type") == "markdown"]
    if sum(len(text) for text in markdown if isinstance(text, str)) > 12_000:
        yield "markdown text exceeds 12,000 characters over all blocks"


def _details(block: dict[str, Any], parsed: Block) -> Iterator[str]:
    yield from (f"unknown key {key}" for key in set(block) - set(parsed.attributes) - {"type", "block_id"})
    yield from size_problems(block)
    elements = elements_of(block)
    for element in elements:
        if block["type"] == "context" and element.get("type") in ("mrkdwn", "plain_text"):
            continue
        model = BlockElement.parse(element)
        if model is None or (block["type"] == "actions" and not isinstance(model, InteractiveElement)):
            yield f"unsupported element {element.get('type')}"
            continue
        model.to_dict()
        yield from (f"unknown key {key}" for key in set(element) - set(model.attributes) - {"type"})
    names = Counter(element["action_id"] for element in elements if "action_id" in element)
    yield from (f"action_id {name} appears more than once" for name, count in names.items() if count > 1)


def elements_of(block: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a block's elements. Rich text has no interactive ones."""
    if block.get("type") not in ("actions", "context", "section", "input"):
        return []
    return [
        part
        for part in (*(block.get("elements") or ()), block.get("accessory"), block.get("element"))
        if part
    ]


def _with_ids(block: dict[str, Any], index: int) -> dict[str, Any]:
    named = json.loads(json.dumps(block))
    named.setdefault("block_id", f"b{index}")
    for number, element in enumerate(elements_of(named)):
        if element.get("type") not in ("mrkdwn", "plain_text", "image"):
            element.setdefault("action_id", f"b{index}a{number}")
    return dict(named)


def _decoded(text: str, error: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as failure:
        raise Refusal(error) from failure
