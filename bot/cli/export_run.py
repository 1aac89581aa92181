"""`towpath export now`, `preview`, `rollback`, `status`, `history`, `cancel`: what the chat command does, from a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from bot import logs
from bot.cli.export import export
from bot.cli.output import console, document
from bot.cli.repositories import chosen_repository
from bot.domain.actors import Actor
from bot.domain.chat import Result
from bot.domain.exports import Export
from bot.domain.run import Origin
from bot.errors import UserError, reference
from bot.render.reply import reply
from bot.services.context import Context
from bot.services.exports import (
    ExportRequest,
    cancel_export,
    default_settings,
    export_history,
    export_view,
    newest_export,
    request_export,
)
from bot.settings import load
from bot.wiring import Bot, hidden_values

OPERATOR = Actor(via="terminal")
_LOOK = 0.5
"""Seconds between two looks at an export that is followed."""
_ENVIRONMENT = typer.Argument(..., help="Whose data is replaced, such as staging.")
_REPOSITORY = typer.Option("", help="owner/name. Default: the only one that the bot knows.")
_NO_WAIT = typer.Option(False, "--no-wait", help="Do not wait for its end.")


@export.command()
def now(environment: str = _ENVIRONMENT, repository: str = _REPOSITORY, no_wait: bool = _NO_WAIT) -> None:
    """Export now. The first export, and one with a changed policy, needs approval in Slack or on a pull request."""
    _request("now", environment, repository, no_wait)


@export.command()
def preview(environment: str = _ENVIRONMENT, repository: str = _REPOSITORY, no_wait: bool = _NO_WAIT) -> None:
    """Count what an export would take. No data leaves."""
    _request("preview", environment, repository, no_wait)


@export.command()
def rollback(
    environment: str = _ENVIRONMENT, repository: str = _REPOSITORY, no_wait: bool = _NO_WAIT
) -> None:
    """Bring the data before the last export back."""
    _request("rollback", environment, repository, no_wait)


@export.command()
def status(environment: str = _ENVIRONMENT, repository: str = _REPOSITORY) -> None:
    """Show the newest export."""
    with _bot() as bot:
        found = newest_export(bot.context, _chosen(bot, repository, "status", environment), environment)
        _print(bot.context, found)


@export.command()
def history(environment: str = _ENVIRONMENT, repository: str = _REPOSITORY) -> None:
    """List the newest exports, and when the next one is due."""
    with _bot() as bot:
        chosen = _chosen(bot, repository, "history", environment)
        document(reply(export_history(bot.context, chosen, environment)))


@export.command()
def cancel(environment: str = _ENVIRONMENT, repository: str = _REPOSITORY) -> None:
    """Cancel an export that has not replaced anything yet."""
    with _bot() as bot:
        found = newest_export(bot.context, _chosen(bot, repository, "cancel", environment), environment)
        cancel_export(bot.context, found, OPERATOR)
        _print(bot.context, found)


def _request(action: str, environment: str, repository: str, no_wait: bool) -> None:
    with _bot() as bot:
        bot.work.connect()
        chosen = _chosen(bot, repository, action, environment)
        request = ExportRequest(environment, action, OPERATOR, Origin(delivery=f"cli:{reference()}"))
        asked = request_export(bot.context, default_settings(bot.context, chosen), request)
        ended = asked if no_wait else _follow(bot.context, asked.id)
        _print(bot.context, ended)
    sys.exit(0 if no_wait or ended.outcome == "done" or ended.phase == "approval" else 1)


def _follow(context: Context, export_id: str) -> Export:
    """Show a progress bar until the export ends, or waits for approval."""
    shown = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console(sys.stderr),
        transient=True,
    )
    with shown:
        task = shown.add_task("queued", total=None)
        while True:
            with context.store.read() as tables:
                found = tables.exports.get(export_id)
            if found is None:
                raise UserError("The export is gone.", next_step="Look at `towpath export history`.")
            if not found.active or found.phase == "approval":
                return found
            progress = found.progress
            description = f"{found.phase} {progress.table or progress.waiting}".strip()
            shown.update(task, description=description, completed=progress.rows, total=progress.total or None)
            time.sleep(_LOOK)


def _print(context: Context, found: Export) -> None:
    view = export_view(context, found.id)
    if view is not None:
        shown: Result = view
        document(reply(shown))


def _chosen(bot: Bot, repository: str, action: str, environment: str) -> str:
    return chosen_repository(bot, repository, f"towpath export {action} {environment} --repository")


@contextmanager
def _bot() -> Iterator[Bot]:
    settings = load()
    logs.configure(hidden_values(settings), as_json=settings.log_json)
    bot = Bot(settings)
    try:
        yield bot
    finally:
        bot.close()
