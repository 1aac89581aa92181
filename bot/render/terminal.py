"""Write a document for a terminal. rich knows how wide each character is and where to fold a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import StringIO

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text as Line

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
from bot.render.escape import clean
from bot.render.truncation import STEPS, cut_lines, fitting_items, more_items, shorten, shorten_spans

_LIMITS = STEPS[1]
_SIGNS = {"-": "red", "+": "green", "~": "yellow"}
_PIPE_WIDTH = 1_000_000
"""Columns of a pipe, where nothing is folded."""


def terminal(document: Document, style: CommandStyle = AS_TYPED, *, colour: bool = False) -> str:
    """Return lines for a pipe or a test, without a final line end; with `colour`, with ANSI sequences."""
    return as_text(renderable(document, style), colour=colour)


def as_text(content: RenderableType, *, colour: bool = False) -> str:
    """Return what rich would print, with nothing folded and no spaces at the ends of lines."""
    written = StringIO()
    console = Console(
        file=written,
        width=_PIPE_WIDTH,
        force_terminal=colour,
        no_color=not colour,
        color_system="standard" if colour else None,
        legacy_windows=False,
    )
    console.print(content)
    return "\n".join(line.rstrip() for line in written.getvalue().rstrip("\n").split("\n"))


def renderable(document: Document, style: CommandStyle = AS_TYPED) -> Group:
    """Return a document for rich's Console. Text from outside cannot move the cursor or change colours."""
    return Group(*_Writer(style).elements(document.elements))


class _Writer:
    def __init__(self, style: CommandStyle) -> None:
        self._style = style

    def elements(self, elements: Sequence[Element]) -> Iterator[RenderableType]:
        """Write each element that has content, with an empty line before it."""
        started = False
        for element in elements:
            for index, part in enumerate(self._element(element)):
                if started and index == 0:
                    yield Line()
                yield part
                started = True

    def _element(self, element: Element) -> Iterator[RenderableType]:
        match element:
            case Heading(spans):
                yield self._line(spans, "bold")
            case Text(spans):
                yield self._spans(spans)
            case Note(spans):
                yield self._line(spans, "dim")
            case Items():
                items, left = fitting_items(element, _LIMITS)
                yield from (Line.assemble("- ", self._spans(item)) for item in items)
                if left:
                    yield Line(more_items(left, element.of))
            case Facts(pairs):
                yield self._facts(pairs)
            case Table():
                yield self._table(element)
                yield from _left(len(element.rows), element.of)
            case Block():
                yield from self._block(element)
            case Details(summary, body):
                yield self._spans(summary)
                yield Padding(Group(*self.elements(body)), (0, 0, 0, 2), expand=False)
            case Actions():
                return

    def _facts(self, pairs: Sequence[tuple[str, Spans]]) -> Grid:
        grid = Grid.grid(padding=(0, 1))
        for label, value in pairs:
            grid.add_row(Line(f"{label}:"), self._spans(value))
        return grid

    def _table(self, table: Table) -> Grid:
        grid = Grid.grid(padding=(0, 2))
        for cells in (
            [Line.assemble((name.upper(), "dim")) for name in table.head],
            *([self._line(cell) for cell in row] for row in table.rows[: _LIMITS.rows]),
        ):
            grid.add_row(*cells)
        return grid

    def _block(self, block: Block) -> Iterator[Line]:
        shown, note = cut_lines(block, block.most if block.language == "diff" else _LIMITS.lines)
        if note and block.tail:
            yield Line(note)
        for line in map(clean, shown):
            yield Line(line, _SIGNS.get(line.lstrip()[:1], ""))
        if note and not block.tail:
            yield Line(note)

    def _line(self, spans: Spans, style: str = "") -> Line:
        """Return one line without styles or addresses: a heading, a cell."""
        return Line(
            "".join(self._span(span, bare=True).plain for span in shorten_spans(spans, _LIMITS.text)), style
        )

    def _spans(self, spans: Spans) -> Line:
        return Line.assemble(*(self._span(span) for span in shorten_spans(spans, _LIMITS.text)))

    def _span(self, span: Span, *, bare: bool = False) -> Line:
        match span:
            case Bold(text):
                return Line(clean(shorten(text, _LIMITS.text)), "bold")
            case Plain(text) | Code(text):
                return Line(clean(shorten(text, _LIMITS.text)))
            case Command():
                return Line(clean(shorten(self._style.command(span), _LIMITS.text)))
            case Link(text, url):
                if bare or not text:
                    return Line(clean(text))
                return Line(f"{clean(shorten(text, _LIMITS.text))} ({clean(url)})")
            case Person(login):
                return Line(clean(f"@{login}") if login else "a Slack user")


def _left(total: int, of: str) -> list[Line]:
    return [Line(more_items(total - _LIMITS.rows, of))] if total > _LIMITS.rows else []
