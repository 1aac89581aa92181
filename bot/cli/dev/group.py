"""`towpath dev`: the group of commands, and what they have in common."""

from __future__ import annotations

import typer

from bot.cli.main import app

dev = typer.Typer(
    no_args_is_help=True,
    help="The environment on your machine: its dependencies, plans and applies of your working copy, and what ci will say.",
)
app.add_typer(dev, name="dev")

ENV = typer.Option("", help="The environment. Default: the only local one, or `dev`.")
STACK = typer.Option("", help="The stack. Default: the only one.")
AS_JSON = typer.Option(False, "--json", help="Print one JSON object.")
YES = typer.Option(False, "--yes", "-y", help="Do not ask.")
TRUST = typer.Option(
    False,
    "--trust",
    help="Start the dependencies of this working copy although the default branch has others.",
)
SHARED = typer.Option(
    False,
    "--shared",
    help="Use the team's state on the bot instead of your own; `towpath state login` first.",
)
