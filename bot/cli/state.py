"""`towpath state`: the group of commands about recorded states; each has a file of its own."""

from __future__ import annotations

import typer
from sqlalchemy import select

from bot.cli.main import app
from bot.domain.target import Target
from bot.errors import UserError
from bot.storage.database import Database
from bot.storage.tables import states

state = typer.Typer(no_args_is_help=True, help="State versions, and access to states from a laptop.")
app.add_typer(state, name="state")

TARGET = typer.Argument(
    help="`owner/name:stack:environment[:instance]`, or only the environment if that is unambiguous."
)
AS_JSON = typer.Option(False, "--json", help="Print one JSON object.")


def known(database: Database) -> list[Target]:
    """Return all targets with a recorded state, sorted."""
    with database.read() as tables:
        keys = tables.connection.scalars(select(states.c.target_key).distinct()).all()
    return sorted(map(Target.from_key, keys))


def one(database: Database, word: str, every: list[Target] | None = None) -> Target:
    """Return the target that `word` names among `every` (default: all with a state). Raises UserError if none or several
    match."""
    every = known(database) if every is None else every
    found = [target for target in every if word.lower() in (target.key.lower(), target.environment.lower())]
    if len(found) == 1:
        return found[0]
    if found:
        what = f"`{word}` is several: {', '.join(target.key for target in found[:10])}."
        raise UserError(what, next_step="Write one of them in full.")
    names = ", ".join(target.key for target in every[:10]) or "none"
    raise UserError(f"No state of `{word}` was recorded.", next_step=f"Recorded targets: {names}.")
