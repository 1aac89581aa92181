"""Tells the story as it happens: for a terminal, or not at all."""

from __future__ import annotations

import re
from typing import Protocol

from rich.console import Console, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from bot.playground.tour.news import Item

WIDTH = 118
"""Columns at most: longer lines are hard to read, and the table of environments fits."""


class Narrator(Protocol):
    """Hears everything that happens, in order."""

    def chapter(self, name: str, title: str) -> None: ...

    def step(self, name: str) -> None: ...

    def said(self, who: str, where: str, text: str) -> None: ...

    def waiting(self, expected: str) -> None: ...

    def shown(self, item: Item) -> None: ...

    def ended(self, ok: bool, seconds: float, detail: str) -> None: ...


class Silent:
    """Says nothing, as with `--json`."""

    def chapter(self, name: str, title: str) -> None:
        """Nothing is told."""

    def step(self, name: str) -> None:
        """Nothing is told."""

    def said(self, who: str, where: str, text: str) -> None:
        """Nothing is told."""

    def waiting(self, expected: str) -> None:
        """Nothing is told."""

    def shown(self, item: Item) -> None:
        """Nothing is told."""

    def ended(self, ok: bool, seconds: float, detail: str) -> None:
        """Nothing is told."""


class Terminal:
    """Writes the conversation; in a terminal a moving line tells what is awaited."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._console.width = min(self._console.width, WIDTH) if self._console.is_terminal else WIDTH
        self._waiting = self._console.status("")

    def chapter(self, name: str, title: str) -> None:
        self._console.print()
        self._console.rule(f"[bold]{name}[/bold]: {title}", align="left")

    def step(self, name: str) -> None:
        self._console.print(Text(f"\n▸ {name}", style="bold"))
        self._waiting.update(Text(name))
        self._waiting.start()

    def said(self, who: str, where: str, text: str) -> None:
        self._console.print(Text.assemble("  ", (who, "bold cyan"), (f" on {where}: ", "dim"), text))

    def waiting(self, expected: str) -> None:
        self._waiting.update(Text(f"waiting: {expected}"))

    def shown(self, item: Item) -> None:
        if item.brief:
            self._console.print(Padding(Text.assemble(("towpath: ", "dim"), item.text), (0, 0, 0, 2)))
            return
        body: RenderableType = Markdown(item.text, hyperlinks=True) if item.markdown else _slack(item.text)
        panel = Panel(body, title=Text(item.where), title_align="left", border_style="dim")
        self._console.print(Padding(panel, (0, 0, 0, 2)))

    def ended(self, ok: bool, seconds: float, detail: str) -> None:
        self._waiting.stop()
        mark = ("✓ as told", "green") if ok else ("✗ not as told", "bold red")
        self._console.print(Text.assemble("  ", mark, (f" in {seconds:.1f} s", "dim")))
        if not ok:
            self._console.print(Padding(Text(detail, style="red"), (0, 0, 0, 4)))


def _slack(text: str) -> Text:
    """Slack's *bold* and `code`, as a terminal shows them."""
    shown = Text()
    for part in re.split(r"(\*[^*\n]+\*|`[^`\n]+`)", text):
        marked = part[:1] in ("*", "`") and len(part) > 2
        shown.append(
            part[1:-1] if marked else part, {"*": "bold", "`": "cyan"}.get(part[:1]) if marked else None
        )
    return shown
