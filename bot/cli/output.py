"""What the operator's commands write: tables, marks and colours in a terminal, plain lines in a pipe.

JSON is printed as it is, and never comes here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from bot.render.document import Document
from bot.render.terminal import as_text, renderable


def console(stream: TextIO | None = None) -> Console:
    """Return rich's console for `stream`, standard output by default. Only a terminal gets colours and moving lines,
    whatever the environment says (rich by itself obeys FORCE_COLOR); NO_COLOR turns colours off there too."""
    file = stream or sys.stdout
    return Console(file=file, force_terminal=file.isatty(), highlight=False)


def show(content: RenderableType) -> None:
    """Print a table or a document: folded to a terminal's width, whole lines in a pipe."""
    if sys.stdout.isatty():
        console().print(content)
    else:
        print(as_text(content))


def document(told: Document) -> None:
    """Print a document."""
    show(renderable(told))


def columns(rows: Iterable[Iterable[str]]) -> None:
    """Print rows with aligned columns."""
    _grid(([Text(cell) for cell in row] for row in rows), apart=2)


def marks(rows: Iterable[tuple[bool, *tuple[str, ...]]]) -> None:
    """Print findings with aligned columns: a tick or a cross, then the cells."""
    _grid(
        ([Text("✓", "green") if ok else Text("✗", "red"), *map(Text, cells)] for ok, *cells in rows), apart=1
    )


def _grid(rows: Iterable[list[Text]], *, apart: int) -> None:
    grid = Table.grid(padding=(0, apart))
    for row in rows:
        grid.add_row(*row)
    if grid.row_count:
        show(grid)


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show in a terminal what is running, as a moving line that disappears at the end. Nothing in a pipe."""
    if not sys.stderr.isatty():
        yield
        return
    with console(sys.stderr).status(f"{what} …"):
        yield
