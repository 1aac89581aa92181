"""`towpath state`: the recorded states, and how a laptop reaches them. Its commands are in files of their own."""

from __future__ import annotations

import typer
from sqlalchemy import select

from bot.cli.main import app
from bot.domain.target import Target
from bot.errors import UserError
from bot.storage.database import Database
from bot.storage.tables import states

state = typer.Typer(no_args_is_help=True, help="States: their versions, and how a laptop reaches them.")
app.add_typer(state, name="state")

TARGET = typer.Argument(
    help="`owner/name:stack:environment[:instance]`, or its environment alone where that says it all."
)
AS_JSON = typer.Option(False, "--json", help="One JSON object.")


def known(database: Database) -> list[Target]:
    """All targets of which a state was recorded, in order."""
    with database.read() as tables:
        keys = tables.connection.scalars(select(states.c.target_key).distinct()).all()
    return sorted(map(Target.from_key, keys))


def one(database: Database, word: str, every: list[Target] | None = None) -> Target:
    """The target that is meant, of `every` (all that have a state). Raises UserError where it is none, or several."""
    every = known(database) if every is None else every
    found = [target for target in every if word.lower() in (target.key.lower(), target.environment.lower())]
    if len(found) == 1:
        return found[0]
    if found:
        what = f"`{word}` is several: {', '.join(target.key for target in found[:10])}."
        raise UserError(what, next_step="Name one of them whole.")
    names = ", ".join(target.key for target in every[:10]) or "none at all"
    raise UserError(f"No state of `{word}` was recorded.", next_step=f"There is {names}.")
