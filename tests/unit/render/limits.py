"""What GitHub and Slack take, said a second time and apart from the code that keeps to it."""

from __future__ import annotations

import json
import re
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from slack_sdk.models.blocks import Block

ALLOWED_HTML = re.compile(r"<span>|</span>|<details><summary>.*</summary>|</details>")


def assert_slack_takes(text: str, blocks: list[dict[str, Any]]) -> None:
    assert 0 < len(text) <= 4_000
    assert 0 < len(blocks) <= 50
    assert len(json.dumps(blocks, ensure_ascii=False)) <= 40_000
    assert "<!" not in text
    for block in blocks:
        parsed = Block.parse(block)
        assert parsed is not None
        parsed.validate_json()
        _one(block)


def _one(block: dict[str, Any]) -> None:
    match block["type"]:
        case "header":
            assert 0 < len(block["text"]["text"]) <= 150
        case "section":
            texts = block.get("fields") or [block["text"]]
            assert len(texts) <= 10
            for text in texts:
                _mrkdwn(text, 2_000 if "fields" in block else 3_000)
        case "context":
            assert len(block["elements"]) <= 10
            for text in block["elements"]:
                _mrkdwn(text, 3_000)
        case "actions":
            elements = block["elements"]
            assert 0 < len(elements) <= 25
            assert len({element["action_id"] for element in elements}) == len(elements)
            for element in elements:
                assert 0 < len(element["text"]["text"]) <= 75
                assert len(element["action_id"]) <= 255
                assert len(element.get("value", "")) <= 2_000
                if "value" in element:
                    keys = {"approve": "ad", "reject": "ad", "plan": "ad", "acknowledge": "f"}
                    wanted = keys.get(element["action_id"].removeprefix("modal:"), "rpc")
                    assert set(json.loads(element["value"])) - {"s"} == set(wanted)
        case other:
            raise AssertionError(f"unexpected block {other}")


def _mrkdwn(text: dict[str, Any], limit: int) -> None:
    content = text["text"]
    assert text["verbatim"]
    assert 0 < len(content) <= limit
    for token in re.findall(r"<[^>]*>?", content):
        assert re.fullmatch(r"<@[A-Z0-9]+>|<https?://[^|<>]+\|[^|<>]*>", token), token
    assert not re.search(r"&(?!amp;|lt;|gt;)", content)
    assert content.count("```") % 2 == 0
    assert re.sub(r"```.*?```", "", content, flags=re.DOTALL).count("`") % 2 == 0


def assert_harmless(body: str) -> None:
    """Read as GitHub reads it: no HTML but ours, nothing left open, nobody mentioned, no marker, no other bot called."""
    assert "<!--" not in body
    assert not re.search(r"^/\w", body, re.MULTILINE)
    assert body.count("<details>") == body.count("</details>")
    for token in _walk(MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(body)):
        match token.type:
            case "html_inline":
                assert ALLOWED_HTML.fullmatch(token.content), token.content
            case "html_block":
                assert all(ALLOWED_HTML.fullmatch(line) for line in token.content.strip().split("\n")), (
                    token.content
                )
                assert "@" not in token.content
            case "image":
                raise AssertionError("an image")
            case "text":
                assert not re.search(r"@\w|#\d|https?://|\bwww\.", token.content), token.content
            case "link_open":
                assert re.match(
                    r"https://(github\.com/acme|towpath\.example\.com|pr-\d+\.test)",
                    str(token.attrGet("href")),
                )
            case "fence":
                assert token.info in ("", "diff")


def _walk(tokens: list[Token]) -> list[Token]:
    return [inner for token in tokens for inner in (token, *_walk(token.children or []))]
