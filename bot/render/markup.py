"""The light markup of the bot's own texts: backticks, `[text](address)`, `<@U…>` for a Slack user, lists and code lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.domain.actors import Actor
from bot.render.document import Block, Code, Command, Element, Items, Link, Person, Plain, Span, Spans, Text

MAX_LENGTH = 8_000
"""Characters of one text that are read; nobody reads a longer answer."""

_COMMAND = re.compile(r"/[a-z][a-z-]*(?:\s.*)?")
_MARKUP = re.compile(
    r"`(?P<code>[^`\n]+)`|\[(?P<label>[^\[\]\n]{1,200})\]\((?P<url>https?://[^\s()<>]{1,2000})\)|<@(?P<slack>[A-Z0-9]{2,30})>"
)


def to_spans(text: str) -> Spans:
    """Return one line as spans. Anything but the bot's own markup is plain text, whoever wrote it."""
    spans: list[Span] = []
    end = 0
    text = text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 1]}…"
    for found in _MARKUP.finditer(text):
        if found.start() > end:
            spans.append(Plain(text[end : found.start()]))
        if found["code"]:
            spans.append(Command(found["code"]) if _COMMAND.fullmatch(found["code"]) else Code(found["code"]))
        elif found["label"]:
            spans.append(Link(found["label"], found["url"]))
        else:
            spans.append(Person(slack=found["slack"]))
        end = found.end()
    if end < len(text):
        spans.append(Plain(text[end:]))
    return tuple(spans)


def to_elements(text: str) -> tuple[Element, ...]:
    """Return a text of several lines as paragraphs, lists (`- …`) and code (indented by four, such as a caret line)."""
    elements: list[Element] = []
    text = text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 1]}…"
    for line in text.split("\n"):
        last = elements[-1] if elements else None
        if line.startswith("    "):
            groups = last.groups if isinstance(last, Block) else ()
            elements[len(elements) - bool(groups) :] = [Block((*groups, (line[4:],)))]
        elif line.startswith("- "):
            items = last.items if isinstance(last, Items) else ()
            elements[len(elements) - bool(items) :] = [Items((*items, to_spans(line[2:])))]
        elif line.strip():
            elements.append(Text(to_spans(line)))
    return tuple(elements)


def actor_span(actor: Actor) -> Person | Plain:
    """Return the span that names an actor."""
    if not actor.login and not actor.slack:
        return Plain(actor.name)
    return Person(actor.login, actor.slack.rpartition("/")[2])


def join_spans(parts: Sequence[Spans], separator: str = " · ") -> Spans:
    """Join the parts that are not empty."""
    joined: list[Span] = []
    for part in parts:
        if part:
            joined += [Plain(separator), *part] if joined else part
    return tuple(joined)
