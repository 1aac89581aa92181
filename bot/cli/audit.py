"""`towpath audit`: check the record of who did what, and take it away."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import typer

from bot import logs
from bot.audit.reading import line, walk
from bot.audit.verification import verify
from bot.cli.main import app
from bot.errors import UserError
from bot.settings import load
from bot.storage.crypto import Vault
from bot.storage.database import Database
from bot.storage.key import load_key
from bot.storage.migrate import pending

audit = typer.Typer(no_args_is_help=True, help="The record of who did what: check it, and take it away.")
app.add_typer(audit, name="audit")


@contextmanager
def recorded() -> Iterator[Database]:
    """The database of the settings, to read. Raises UserError where it has no record yet."""
    settings = load()
    logs.configure(settings.secrets(), as_json=settings.log_json)
    key = load_key(settings.secret_key.get_secret_value() or None, settings.data_dir)
    database = Database(settings.database, Vault(key))
    try:
        if pending(database.engine):
            raise UserError(
                "The database is not at this version.",
                next_step="Run `towpath migrate`; is TOWPATH_DATABASE_URL or TOWPATH_DATA_DIR the bot's own?",
            )
        yield database
    finally:
        database.close()


@audit.command("verify")
def check(
    head: str = typer.Option("", help="A digest that was noted earlier: finds what was cut off at the end."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object instead of a sentence."),
) -> None:
    """Check that no entry was changed, added between others or taken out; exit code 1 where one was."""
    if head and not re.fullmatch(r"[0-9a-f]{64}", head):
        raise UserError(
            "`--head` is no digest: it has 64 characters, 0 to 9 and a to f.",
            next_step="Copy it whole from an earlier `towpath audit verify`.",
        )
    with recorded() as database:
        found = verify(walk(database), head)
    if as_json:
        told = {"ok": found.ok, "entries": found.entries, "head": found.head, "number": found.number}
        print(json.dumps(told | {"why": found.why}))
    elif found.ok:
        count = "1 entry is" if found.entries == 1 else f"{found.entries} entries are"
        print(f"{count} as written. Head: {found.head}")
        print(
            "Note the head elsewhere: `towpath audit verify --head <it>` tells later whether the end is missing."
        )
    else:
        print(found.why, file=sys.stderr)
    sys.exit(0 if found.ok else 1)


@audit.command()
def export(
    after: int = typer.Option(0, min=0, help="Only entries with a higher number than this."),
    output: Path | None = typer.Option(None, help="A new file to write to, instead of standard output."),
) -> None:
    """Write the entries as JSON lines, oldest first."""
    with recorded() as database, _opened(output) as file:
        try:
            for entry in walk(database, after):
                print(line(entry), file=file)
        except (ValueError, TypeError):
            raise UserError(
                "An entry cannot be read: it was changed. Those before it were written.",
                next_step="See which with `towpath audit verify`.",
            ) from None


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    """Standard output, or a new file that is its owner's alone."""
    if output is None:
        yield sys.stdout
        return
    try:
        file = os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")
    except OSError as error:
        raise UserError(
            f"Cannot write a new file {output}: {error.strerror}.", next_step="Name another with `--output`."
        ) from None
    with file:
        yield file
