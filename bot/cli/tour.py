"""`towpath tour`: stories played by the real bot, told as people would read them."""

from __future__ import annotations

import json
import signal
import sys
from types import FrameType

import typer

from bot.cli.main import app


@app.command()
def tour(
    chapter: list[str] = typer.Option([], help="Only this chapter; may be given several times."),
    database_url: str = typer.Option(
        "", help="A Postgres whose user may create databases; each chapter gets a new one. Empty: SQLite."
    ),
    as_json: bool = typer.Option(False, "--json", help="One JSON object instead of the conversation."),
) -> None:
    """Play the real bot against stand-ins for GitHub and Slack and a pretended cloud, with real Terraform.

    Prints the conversation as people would read it. Exit code 1 where anything is not as told."""
    from bot.playground.tour.narrator import Silent, Terminal
    from bot.playground.tour.play import play, report
    from bot.playground.tour.registry import chosen

    chapters = chosen(chapter)
    signal.signal(signal.SIGTERM, _told_to_end)
    played = play(chapters, Silent() if as_json else Terminal(), database_url=database_url)
    if as_json:
        print(json.dumps(report(played), ensure_ascii=False))
    else:
        print()
        for one in played:
            print(f"{'✓' if one.ok else '✗'} {one.name:<20} {one.seconds:5.1f} s, {len(one.steps)} steps")
    sys.exit(0 if all(one.ok for one in played) else 1)


def _told_to_end(_number: int, _frame: FrameType | None) -> None:
    """By an exception, so that the bot and the stand-ins are stopped on the way out."""
    sys.exit(1)
