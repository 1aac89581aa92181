"""Write a document as Slack's Block Kit."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from bot.render import escape
from bot.render.command_style import AS_TYPED, CommandStyle
from bot.render.document import (
    Actions,
    Block,
    Bold,
    Button,
    Code,
    Command,
    Details,
    Document,
    Element,
    Facts,
    Heading,
    Items,
    Link,
    Note,
    Person,
    Plain,
    Span,
    Spans,
    Table,
    Text,
)
from bot.render.truncation import (
    ACTION_ID,
    ACTIONS,
    BLOCKS,
    BUTTON,
    FIELD,
    FIELDS,
    HEADER,
    MESSAGE,
    SECTION,
    STEPS,
    URL,
    VALUE,
    Limits,
    cut_lines,
    fitting_items,
    more_items,
    shorten,
)

Json = dict[str, Any]

MAX_TOTAL = 24_000
"""Characters of all blocks together; Slack refuses much larger messages, without a documented number."""
_REST = "see the pull request"


def blocks(document: Document, style: CommandStyle = AS_TYPED) -> tuple[str, list[Json]]:
    """Return the message's `text` (for notifications) and its blocks, within Slack's limits for any document."""
    written: list[Json] = []
    for limits in STEPS:
        written = [block for element in document.elements for block in _element(element, style, limits)]
        if len(written) <= BLOCKS and _size(written) <= MAX_TOTAL:
            break
    kept: list[Json] = []
    for block in written:
        if len(kept) == BLOCKS - 1 or _size([*kept, block]) > MAX_TOTAL:
            kept.append(_context(f"… truncated: {_REST}"))
            break
        kept.append(block)
    else:
        kept = written
    return _fit(escape.slack(document.title), MESSAGE), kept


def _size(written: list[Json]) -> int:
    return len(json.dumps(written, ensure_ascii=False))


def _element(element: Element, style: CommandStyle, limits: Limits) -> list[Json]:
    match element:
        case Heading(spans):
            title = shorten(escape.clean(_plain(spans)), HEADER)
            return [{"type": "header", "text": {"type": "plain_text", "text": title or "…", "emoji": False}}]
        case Text(spans):
            return _sections([_spans(spans, style, limits)])
        case Note(spans) | Details(spans):
            return [_context(_spans(spans, style, limits, FIELD))] if spans else []
        case Items():
            items, left = fitting_items(element, limits)
            lines = [f"• {_spans(item, style, limits)}" for item in items]
            return _sections([*lines, *_left(left, element.of)])
        case Facts(pairs):
            fields = [
                _mrkdwn(_fit(f"*{escape.slack(label)}*\n{_spans(value, style, limits, FIELD - 100)}", FIELD))
                for label, value in pairs
            ]
            return [
                {"type": "section", "fields": fields[start : start + FIELDS]}
                for start in range(0, len(fields), FIELDS)
            ]
        case Table(_, rows, of):
            lines = [_row(row, style, limits) for row in rows[: limits.rows]]
            return _sections([*lines, *_left(len(rows) - limits.rows, of)])
        case Block():
            return [_code(element, limits)]
        case Actions(buttons):
            made = [_button(button, style, index) for index, button in enumerate(buttons[:ACTIONS])]
            return [{"type": "actions", "elements": made}] if made else []


def _row(row: tuple[Spans, ...], style: CommandStyle, limits: Limits) -> str:
    name, *cells = (_spans(cell, style, limits, SECTION // max(1, len(row)) - 20) for cell in row)
    shown = [cell for cell in cells if cell not in ("", "–")]  # without columns a dash means nothing
    return " · ".join([f"*{name.replace('*', '')}*" if name else "", *shown])


def _left(left: int, of: str) -> list[str]:
    return [f"{more_items(left, of)}: {_REST}"] if left > 0 else []


def _sections(lines: Sequence[str]) -> list[Json]:
    """Pack lines into as few sections as possible."""
    packed: list[str] = []
    for line in lines:
        if packed and len(packed[-1]) + 1 + len(line) <= SECTION:
            packed[-1] += f"\n{line}"
        elif line:
            packed.append(line)
    return [{"type": "section", "text": _mrkdwn(text)} for text in packed]


def _code(block: Block, limits: Limits) -> Json:
    lines = min(limits.lines, 60)
    while True:
        shown, note = cut_lines(block, lines)
        text = escape.slack_block("\n".join(escape.clean(line) for line in shown))
        fenced = f"```{text or ' '}```"
        whole = "\n".join(filter(None, [note, fenced] if block.tail else [fenced, note]))
        if len(whole) <= SECTION or lines == 1:
            return {"type": "section", "text": _mrkdwn(whole)}
        lines //= 2


def _button(button: Button, style: CommandStyle, index: int) -> Json:
    name = re.sub(r"[^A-Za-z0-9_.:-]", "_", ":".join(button.command.split()))
    made: Json = {
        "type": "button",
        "text": {"type": "plain_text", "text": shorten(escape.clean(button.label), BUTTON), "emoji": False},
        "action_id": shorten(
            button.action or (f"towpath:{name}" if button.command else f"towpath:open:{index}"), ACTION_ID
        ),
    }
    if button.action:
        made["value"] = shorten(button.value, VALUE)
    elif button.command:
        command = shorten(f"{button.command} {button.commit}".strip(), 500)
        value = {"r": style.repository, "p": style.pull, "c": command}
        made["value"] = shorten(json.dumps(value, separators=(",", ":"), ensure_ascii=False), VALUE)
    elif len(button.url) <= URL:
        made["url"] = button.url
    if button.style:
        made["style"] = button.style
    if button.confirm:
        made["confirm"] = {
            "title": {"type": "plain_text", "text": shorten(escape.clean(button.label), 100)},
            "text": {"type": "plain_text", "text": shorten(escape.clean(button.confirm), 300)},
            "confirm": {"type": "plain_text", "text": shorten(escape.clean(button.label), 30)},
            "deny": {"type": "plain_text", "text": "Not now"},
        }
    return made


def _context(text: str) -> Json:
    return {"type": "context", "elements": [_mrkdwn(text)]}


def _mrkdwn(text: str) -> Json:
    # Verbatim, so that Slack does not turn addresses, channels or names into links.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _spans(spans: Spans, style: CommandStyle, limits: Limits, limit: int = SECTION - 10) -> str:
    """Write spans up to a length. A written span is never cut in the middle, so that no markup is left open."""
    text = ""
    for span in spans:
        part = _span(span, style, min(limits.text, limit))
        if len(text) + len(part) > limit - 1:
            return f"{text}…"
        text += part
    return text


def _span(span: Span, style: CommandStyle, limit: int) -> str:
    match span:
        case Plain(text):
            return _fit(escape.slack(text), limit)
        case Bold(text):
            inner = _fit(escape.slack(text).replace("*", "∗").strip(), limit)
            return f"*{inner}*" if inner else ""
        case Code(text):
            return _ticked(text, limit)
        case Command():
            return _ticked(style.command(span), limit)
        case Link(text, url):
            label = _fit(escape.slack(text).replace("|", "¦"), 200)
            safe = re.fullmatch(r"https?://[^\s<>|]{1,2000}", url)
            return f"<{url.replace('&', '&amp;')}|{label}>" if safe and label else label
        case Person(login, slack):
            known = re.fullmatch(r"[A-Z0-9]{2,30}", slack)
            return f"<@{slack}>" if known else escape.slack(f"@{login}" if login else "a Slack user")


def _ticked(text: str, limit: int) -> str:
    inner = _fit(escape.slack(text).strip(), limit)
    return f"`{inner}`" if inner else ""


def _fit(escaped: str, limit: int) -> str:
    """Cut escaped text without leaving half an entity."""
    if len(escaped) <= limit:
        return escaped
    return re.sub(r"&[a-z]{0,4}$", "", escaped[: max(0, limit - 1)]).rstrip() + "…"


def _plain(spans: Spans) -> str:
    return "".join(f"@{span.login}" if isinstance(span, Person) else span.text for span in spans if span)
