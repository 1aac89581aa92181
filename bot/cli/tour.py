"""`towpath tour`: play stories with the real bot and print what people would read."""

from __future__ import annotations

import json
import signal
import sys
from types import FrameType

import typer

from bot.cli.demo import require_demo_extra
from bot.cli.main import app
from bot.cli.output import marks


@app.command()
def tour(
    chapter: list[str] = typer.Option([], help="Play only this chapter; can be repeated."),
    database_url: str = typer.Option(
        "", help="Postgres URL whose user may create databases; each chapter gets a new one. Default: SQLite."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object instead of the conversation."),
) -> None:
    """Play stories with the real bot and real Terraform against stand-ins for GitHub, Slack and a cloud.

    Prints the conversation as people would read it. Exit code 1 if anything differs from the story."""
    require_demo_extra("tour")
    from bot.playground.tour.narrator import SilentNarrator, TerminalNarrator
    from bot.playground.tour.player import play, report
    from bot.playground.tour.registry import select

    chapters = select(chapter)
    signal.signal(signal.SIGTERM, _told_to_end)
    played = play(chapters, SilentNarrator() if as_json else TerminalNarrator(), database_url=database_url)
    if as_json:
        print(json.dumps(report(played), ensure_ascii=False))
    else:
        print()
        marks((one.ok, one.name, f"{one.seconds:5.1f} s, {len(one.steps)} steps") for one in played)
    sys.exit(0 if all(one.ok for one in played) else 1)


def _told_to_end(_number: int, _frame: FrameType | None) -> None:
    """Raise an exception, so that the bot and the stand-ins are stopped on the way out."""
    sys.exit(1)
