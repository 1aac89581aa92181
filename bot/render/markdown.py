"""A document as GitHub's Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from bot.render import escape
from bot.render.budget import COMMENT, STEPS, Room, cut_lines, fit, more, short, within
from bot.render.document import (
    HERE,
    Actions,
    Block,
    Bold,
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
    Voice,
)

_CUT = "… more does not fit here: see the log"


def markdown(
    document: Document, voice: Voice = HERE, *, limit: int = COMMENT, size: Callable[[str], int] = len
) -> str:
    """The whole document, at most `limit` long by `size` (characters; for bytes give one that counts them)."""
    written = fit(lambda room: _all(document.elements, voice, room), lambda text: size(text) <= limit)
    if written is not None:
        return written
    parts: list[str] = []
    for element in document.elements:
        part = _element(element, voice, STEPS[-1])
        if size("\n\n".join([*parts, part, _CUT])) > limit:
            return "\n\n".join([*parts, _CUT])
        parts.append(part)
    return "\n\n".join(parts)


def _all(elements: Sequence[Element], voice: Voice, room: Room) -> str:
    return "\n\n".join(part for element in elements if (part := _element(element, voice, room)))


def _element(element: Element, voice: Voice, room: Room) -> str:
    match element:
        case Heading(spans):
            return f"### {_spans(spans, voice, room)}"
        case Text(spans):
            return escape.markdown_opening(_spans(spans, voice, room))
        case Note(spans):
            return f"> {escape.markdown_opening(_spans(spans, voice, room))}"
        case Items(items, of):
            lines = [f"- {escape.markdown_opening(_spans(item, voice, room))}" for item in items[: room.rows]]
            return "\n".join(
                [*lines, *_more(len(items) - room.rows, f"- {more(len(items) - room.rows, of)}")]
            )
        case Facts(pairs):
            return "\n".join(
                f"- {escape.markdown(label)}: {_spans(value, voice, room)}" for label, value in pairs
            )
        case Table():
            return _table(element, voice, room)
        case Block():
            return _block(element, room)
        case Details(summary, body):
            inner = _all(body, voice, room)
            return f"<details><summary>{_html(summary, voice, room)}</summary>\n\n{inner}\n\n</details>"
        case Actions():
            return ""


def _table(table: Table, voice: Voice, room: Room) -> str:
    rows = [
        " | ".join(["", *(_spans(cell, voice, room, cell=True) for cell in row), ""]).strip()
        for row in table.rows[: room.rows]
    ]
    head = f"| {' | '.join(escape.markdown(name) for name in table.head)} |"
    ruler = "|" + "---|" * len(table.head)
    left = len(table.rows) - room.rows
    return "\n".join([head, ruler, *rows, *_more(left, f"\n{more(left, table.of)}")])


def _more(left: int, text: str) -> list[str]:
    return [text] if left > 0 else []


def _block(block: Block, room: Room) -> str:
    lines, note = cut_lines(block, room.lines)
    shown = [escape.no_marker(escape.clean(line)) for line in lines]
    if any(line.startswith("/") for line in shown):
        # Other bots look for commands at the start of lines, even in code. All lines move, so that carets stay right.
        shown = [f" {line}" for line in shown]
    text = "\n".join(_coloured(line) if block.language == "diff" else line for line in shown)
    fence = escape.markdown_fence(text)
    fenced = f"{fence}{block.language}\n{text}\n{fence}"
    return "\n\n".join(filter(None, [note, fenced] if block.tail else [fenced, note]))


def _coloured(line: str) -> str:
    """GitHub colours a diff's line by its first character: signs go there, and `~` becomes the `!` that it knows."""
    signed = re.sub(r"^( +)([-+~]) ", r"\2\1 ", line)
    return f"!{signed[1:]}" if signed.startswith("~") else signed


def _spans(spans: Spans, voice: Voice, room: Room, *, cell: bool = False) -> str:
    return "".join(_span(span, voice, room, cell=cell) for span in within(spans, room.text))


def _span(span: Span, voice: Voice, room: Room, *, cell: bool = False) -> str:
    match span:
        case Plain(text):
            return escape.markdown(short(text, room.text))
        case Bold(text):
            inner = escape.markdown(short(text, room.text).strip())
            return f"**{inner}**" if inner else ""
        case Code(text):
            return escape.markdown_code(short(text, room.text), cell=cell)
        case Command():
            return escape.markdown_code(short(voice.command(span), room.text), cell=cell)
        case Link(text, url):
            return _link(escape.markdown(short(text, room.text)), url)
        case Person(login):
            return escape.markdown(f"@{login}") if login else "somebody in Slack"


def _link(text: str, url: str) -> str:
    if not re.fullmatch(r"https?://[^\s<>\"'`|\\]{1,2000}", url):
        return text
    return f"[{text}]({url.replace('(', '%28').replace(')', '%29')})"


def _html(spans: Spans, voice: Voice, room: Room) -> str:
    """Spans within an HTML line, where Markdown is not read."""
    parts = []
    for span in within(spans, room.text):
        match span:
            case Code(text):
                parts.append(f"<code>{_entities(short(text, room.text))}</code>")
            case Command():
                parts.append(f"<code>{_entities(short(voice.command(span), room.text))}</code>")
            case Bold(text):
                parts.append(f"<b>{_entities(short(text, room.text))}</b>")
            case Person(login):
                parts.append(_entities(f"@{login}") if login else "somebody in Slack")
            case Plain(text) | Link(text):
                parts.append(_entities(short(text, room.text)))
    return "".join(parts)


def _entities(text: str) -> str:
    return (
        re.sub(r"[^\w .,:;()/·…-]", lambda found: f"&#{ord(found[0])};", escape.clean(text))
        .replace("&#64;", "&#64;&#8203;")
        .replace("&#35;", "&#35;&#8203;")
        .replace("://", ":&#8203;//")
    )
