"""A document as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from bot.render.budget import STEPS, cut_lines, more, short, within
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
from bot.render.escape import clean

_ROOM = STEPS[1]
_BOLD, _DIM, _RED, _GREEN, _YELLOW, _OFF = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"
_SIGNS = {"-": _RED, "+": _GREEN, "~": _YELLOW}


def terminal(document: Document, voice: Voice = HERE, *, colour: bool = False) -> str:
    """Lines without a line end behind the last. Nothing that came from outside can move the cursor or change colours;
    with `colour`, ANSI sequences of our own mark what is bold and what changes."""
    return "\n".join(_Writer(voice, colour).lines(document.elements, ""))


class _Writer:
    def __init__(self, voice: Voice, colour: bool) -> None:
        self._voice = voice
        self._colour = colour

    def lines(self, elements: Sequence[Element], indent: str) -> list[str]:
        written: list[str] = []
        for element in elements:
            part = [f"{indent}{line}".rstrip() for line in self._element(element)]
            written += [*([""] if written and part else []), *part]
        return written

    def _element(self, element: Element) -> list[str]:
        match element:
            case Heading(spans):
                return [self._mark(self._spans(spans, bare=True), _BOLD)]
            case Text(spans):
                return [self._spans(spans)]
            case Note(spans):
                return [self._mark(self._spans(spans, bare=True), _DIM)]
            case Items(items, of):
                lines = [f"- {self._spans(item)}" for item in items[: _ROOM.rows]]
                return [*lines, *_left(len(items), of)]
            case Facts(pairs):
                width = max((len(label) for label, _ in pairs), default=0)
                return [f"{label + ':':<{width + 1}} {self._spans(value)}" for label, value in pairs]
            case Table():
                return self._table(element)
            case Block():
                shown, note = cut_lines(element, _ROOM.lines)
                lines = [self._signed(clean(line)) for line in shown]
                return [
                    *([note] if note and element.tail else []),
                    *lines,
                    *([note] if note and not element.tail else []),
                ]
            case Details(summary, body):
                return [self._spans(summary), *self.lines(body, "  ")]
            case Actions():
                return []

    def _table(self, table: Table) -> list[str]:
        rows = [[self._spans(cell, bare=True) for cell in row] for row in table.rows[: _ROOM.rows]]
        cells = [[name.upper() for name in table.head], *rows]
        widths = [min(60, max(len(row[column]) for row in cells)) for column in range(len(table.head))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells
        ]
        return [
            self._mark(lines[0].rstrip(), _DIM),
            *(line.rstrip() for line in lines[1:]),
            *_left(len(table.rows), table.of),
        ]

    def _signed(self, line: str) -> str:
        return self._mark(line, _SIGNS.get(line.lstrip()[:1], ""))

    def _mark(self, text: str, code: str) -> str:
        return f"{code}{text}{_OFF}" if self._colour and code and text else text

    def _spans(self, spans: Spans, *, bare: bool = False) -> str:
        return "".join(self._span(span, bare) for span in within(spans, _ROOM.text))

    def _span(self, span: Span, bare: bool) -> str:
        match span:
            case Bold(text):
                inner = clean(short(text, _ROOM.text))
                return inner if bare else self._mark(inner, _BOLD)
            case Plain(text) | Code(text):
                return clean(short(text, _ROOM.text))
            case Command():
                return clean(short(self._voice.command(span), _ROOM.text))
            case Link(text, url):
                return clean(text) if bare or not text else f"{clean(short(text, _ROOM.text))} ({clean(url)})"
            case Person(login):
                return clean(f"@{login}") if login else "somebody in Slack"


def _left(total: int, of: str) -> list[str]:
    return [more(total - _ROOM.rows, of)] if total > _ROOM.rows else []
