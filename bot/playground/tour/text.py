"""Plain text of what people read: Markdown tables, collapsed details, Slack's blocks."""

from __future__ import annotations

import html
import re
from typing import Any

from bot.playground.slack.model import Message, OpenView

_DETAILS = re.compile(r"<details><summary>(.*?)</summary>.*?</details>", re.DOTALL)
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_SLACK_LINK = re.compile(r"<[^|<>]+\|([^<>]*)>")


def plain(markdown: str) -> str:
    """Return a line of Markdown as plain text, with links replaced by their texts."""
    text = html.unescape(re.sub(r"<[^>]+>", "", _LINK.sub(r"\1", markdown)))
    return re.sub(r"\\([^\w\s])", r"\1", re.sub(r"\*\*|`|\u200b", "", text)).strip()


def table(markdown: str) -> list[dict[str, str]]:
    """Return the rows of the first table as plain text, by column name. Empty if there is no table."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    if len(lines) < 2:
        return []
    head, _, *rows = [[plain(cell) for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [dict(zip(head, row, strict=False)) for row in rows]


def collapsed(markdown: str) -> str:
    """Return Markdown with all details collapsed, as GitHub first shows it, and without hidden comments."""
    shown = _DETAILS.sub(lambda found: f"▸ {plain(found[1])}\n", markdown)
    return re.sub(r"<!--.*?-->|&#8203;", "", shown).strip()


def slack_text(message: Message) -> str:
    """Return a Slack message as text: its blocks if it has any, with buttons in brackets."""
    return _blocks(message.blocks) or _mrkdwn(message.text)


def modal_text(view: OpenView) -> str:
    """Return a modal as text: title, blocks, fields, errors, and buttons in brackets."""
    shown = view.view
    buttons = [f"[{shown[name]['text']}]" for name in ("submit", "close") if shown.get(name)]
    errors = [f"✗ {error}" for error in view.errors.values()]
    return "\n".join([f"*{shown['title']['text']}*", _blocks(shown["blocks"]), *errors, " ".join(buttons)])


def _blocks(blocks: list[dict[str, Any]]) -> str:
    return "\n".join(line for block in blocks for line in _block(block))


def _block(block: dict[str, Any]) -> list[str]:
    kind = block["type"]
    if kind == "input":
        return [f"{block['label']['text']}: ____"]
    if kind == "actions":
        return [" ".join(f"[{element['text']['text']}]" for element in block["elements"])]
    if kind == "context":
        return [_mrkdwn(element["text"]) for element in block["elements"]]
    texts = [block["text"]] if "text" in block else []
    return [_mrkdwn(text["text"]) for text in [*texts, *block.get("fields", [])]]


def _mrkdwn(text: str) -> str:
    return html.unescape(_SLACK_LINK.sub(r"\1", text))
