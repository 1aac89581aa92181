"""Write a document as GitHub's Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from bot.render import escape
from bot.render.command_style import AS_TYPED, CommandStyle
from bot.render.document import (
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
)
from bot.render.truncation import (
    COMMENT,
    STEPS,
    Limits,
    cut_lines,
    first_that_fits,
    fitting_items,
    more_items,
    shorten,
    shorten_spans,
)

_CUT = "… truncated: see the log"


def markdown(
    document: Document,
    style: CommandStyle = AS_TYPED,
    *,
    limit: int = COMMENT,
    size: Callable[[str], int] = len,
) -> str:
    """Return the document, at most `limit` long. size: how to measure the length; counts characters by default."""
    written = first_that_fits(
        lambda limits: _all(document.elements, style, limits), lambda text: size(text) <= limit
    )
    if written is not None:
        return written
    parts: list[str] = []
    for element in document.elements:
        part = _element(element, style, STEPS[-1])
        if size("\n\n".join([*parts, part, _CUT])) > limit:
            return "\n\n".join([*parts, _CUT])
        parts.append(part)
    return "\n\n".join(parts)


def _all(elements: Sequence[Element], style: CommandStyle, limits: Limits) -> str:
    return "\n\n".join(part for element in elements if (part := _element(element, style, limits)))


def _element(element: Element, style: CommandStyle, limits: Limits) -> str:
    match element:
        case Heading(spans):
            return f"### {_spans(spans, style, limits)}"
        case Text(spans):
            return escape.markdown_opening(_spans(spans, style, limits))
        case Note(spans):
            return f"> {escape.markdown_opening(_spans(spans, style, limits))}"
        case Items():
            items, left = fitting_items(element, limits)
            lines = [f"- {escape.markdown_opening(_spans(item, style, limits))}" for item in items]
            return "\n".join([*lines, *_more(left, f"- {more_items(left, element.of)}")])
        case Facts(pairs):
            return "\n".join(
                f"- {escape.markdown(label)}: {_spans(value, style, limits)}" for label, value in pairs
            )
        case Table():
            return _table(element, style, limits)
        case Block():
            return _block(element, limits)
        case Details(summary, body):
            inner = _all(body, style, limits)
            return f"<details><summary>{_html(summary, style, limits)}</summary>\n\n{inner}\n\n</details>"
        case Actions():
            return ""


def _table(table: Table, style: CommandStyle, limits: Limits) -> str:
    rows = [
        " | ".join(["", *(_spans(cell, style, limits, cell=True) for cell in row), ""]).strip()
        for row in table.rows[: limits.rows]
    ]
    head = f"| {' | '.join(escape.markdown(name) for name in table.head)} |"
    ruler = "|" + "---|" * len(table.head)
    left = len(table.rows) - limits.rows
    return "\n".join([head, ruler, *rows, *_more(left, f"\n{more_items(left, table.of)}")])


def _more(left: int, text: str) -> list[str]:
    return [text] if left > 0 else []


def _block(block: Block, limits: Limits) -> str:
    lines, note = cut_lines(block, limits.lines)
    shown = [escape.no_marker(escape.clean(line)) for line in lines]
    if any(line.startswith("/") for line in shown):
        # Other bots look for commands at the start of lines, even in code. All lines are indented, so that carets still match.
        shown = [f" {line}" for line in shown]
    text = "\n".join(_coloured(line) if block.language == "diff" else line for line in shown)
    fence = escape.markdown_fence(text)
    fenced = f"{fence}{block.language}\n{text}\n{fence}"
    return "\n\n".join(filter(None, [note, fenced] if block.tail else [fenced, note]))


def _coloured(line: str) -> str:
    """Move a diff line's sign to the front, where GitHub looks for it, and turn `~` into the `!` that GitHub colours."""
    signed = re.sub(r"^( +)([-+~]) ", r"\2\1 ", line)
    return f"!{signed[1:]}" if signed.startswith("~") else signed


def _spans(spans: Spans, style: CommandStyle, limits: Limits, *, cell: bool = False) -> str:
    return "".join(_span(span, style, limits, cell=cell) for span in shorten_spans(spans, limits.text))


def _span(span: Span, style: CommandStyle, limits: Limits, *, cell: bool = False) -> str:
    match span:
        case Plain(text):
            return escape.markdown(shorten(text, limits.text))
        case Bold(text):
            inner = escape.markdown(shorten(text, limits.text).strip())
            return f"**{inner}**" if inner else ""
        case Code(text):
            return escape.markdown_code(shorten(text, limits.text), cell=cell)
        case Command():
            return escape.markdown_code(shorten(style.command(span), limits.text), cell=cell)
        case Link(text, url):
            return _link(escape.markdown(shorten(text, limits.text)), url)
        case Person(login):
            return escape.markdown(f"@{login}") if login else "a Slack user"


def _link(text: str, url: str) -> str:
    if not re.fullmatch(r"https?://[^\s<>\"'`|\\]{1,2000}", url):
        return text
    return f"[{text}]({url.replace('(', '%28').replace(')', '%29')})"


def _html(spans: Spans, style: CommandStyle, limits: Limits) -> str:
    """Write spans inside an HTML line, where Markdown is not parsed."""
    parts = []
    for span in shorten_spans(spans, limits.text):
        match span:
            case Code(text):
                parts.append(f"<code>{_entities(shorten(text, limits.text))}</code>")
            case Command():
                parts.append(f"<code>{_entities(shorten(style.command(span), limits.text))}</code>")
            case Bold(text):
                parts.append(f"<b>{_entities(shorten(text, limits.text))}</b>")
            case Person(login):
                parts.append(_entities(f"@{login}") if login else "a Slack user")
            case Plain(text) | Link(text):
                parts.append(_entities(shorten(text, limits.text)))
    return "".join(parts)


def _entities(text: str) -> str:
    return (
        re.sub(r"[^\w .,:;()/·…-]", lambda found: f"&#{ord(found[0])};", escape.clean(text))
        .replace("&#64;", "&#64;&#8203;")
        .replace("&#35;", "&#35;&#8203;")
        .replace("://", ":&#8203;//")
    )
