"""`towpath export`: the commands about exports of data."""

from __future__ import annotations

import typer

from bot.cli.main import app

export = typer.Typer(no_args_is_help=True, help="Masked exports of one environment's data to another.")
app.add_typer(export, name="export")
