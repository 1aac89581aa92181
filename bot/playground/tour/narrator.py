"""Reports a chapter as it happens: on a terminal, or not at all."""

from __future__ import annotations

import re
from typing import Protocol

from rich.console import Console, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from bot.playground.tour.updates import Update

WIDTH = 118
"""Maximum columns. The table of environments fits, and longer lines are hard to read."""


class Narrator(Protocol):
    """Receives everything that happens, in order."""

    def chapter(self, name: str, title: str) -> None: ...

    def step(self, name: str) -> None: ...

    def action(self, who: str, where: str, text: str) -> None: ...

    def waiting(self, expected: str) -> None: ...

    def update(self, update: Update) -> None: ...

    def result(self, ok: bool, seconds: float, detail: str) -> None: ...


class SilentNarrator:
    """Prints nothing, for `--json`."""

    def chapter(self, name: str, title: str) -> None:
        """Ignore a new chapter."""

    def step(self, name: str) -> None:
        """Ignore a new step."""

    def action(self, who: str, where: str, text: str) -> None:
        """Ignore an action."""

    def waiting(self, expected: str) -> None:
        """Ignore a wait."""

    def update(self, update: Update) -> None:
        """Ignore an update."""

    def result(self, ok: bool, seconds: float, detail: str) -> None:
        """Ignore the end of a step."""


class TerminalNarrator:
    """Prints the conversation. On a terminal, a spinner shows what the chapter is waiting for."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._console.width = min(self._console.width, WIDTH) if self._console.is_terminal else WIDTH
        self._waiting = self._console.status("")

    def chapter(self, name: str, title: str) -> None:
        """Print the chapter's name and title."""
        self._console.print()
        self._console.rule(f"[bold]{name}[/bold]: {title}", align="left")

    def step(self, name: str) -> None:
        """Print the name of a step that starts."""
        self._console.print(Text(f"\n▸ {name}", style="bold"))
        self._waiting.update(Text(name))
        self._waiting.start()

    def action(self, who: str, where: str, text: str) -> None:
        """Print what somebody does or writes."""
        self._console.print(Text.assemble("  ", (who, "bold cyan"), (f" on {where}: ", "dim"), text))

    def waiting(self, expected: str) -> None:
        """Show what the chapter is waiting for."""
        self._waiting.update(Text(f"waiting: {expected}"))

    def update(self, update: Update) -> None:
        """Print what the bot shows: on one line if brief, else in a panel."""
        if update.brief:
            self._console.print(Padding(Text.assemble(("towpath: ", "dim"), update.text), (0, 0, 0, 2)))
            return
        body: RenderableType = (
            Markdown(update.text, hyperlinks=True) if update.markdown else _mrkdwn(update.text)
        )
        panel = Panel(body, title=Text(update.where), title_align="left", border_style="dim")
        self._console.print(Padding(panel, (0, 0, 0, 2)))

    def result(self, ok: bool, seconds: float, detail: str) -> None:
        """Print whether a step succeeded, and why not."""
        self._waiting.stop()
        mark = ("✓ ok", "green") if ok else ("✗ failed", "bold red")
        self._console.print(Text.assemble("  ", mark, (f" in {seconds:.1f} s", "dim")))
        if not ok:
            self._console.print(Padding(Text(detail, style="red"), (0, 0, 0, 4)))


def _mrkdwn(text: str) -> Text:
    """Return Slack's *bold* and `code` with terminal styles."""
    shown = Text()
    for part in re.split(r"(\*[^*\n]+\*|`[^`\n]+`)", text):
        marked = part[:1] in ("*", "`") and len(part) > 2
        shown.append(
            part[1:-1] if marked else part, {"*": "bold", "`": "cyan"}.get(part[:1]) if marked else None
        )
    return shown
