"""`towpath audit`: verify and export the audit record."""

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
from bot.cli.output import working
from bot.errors import UserError
from bot.settings import load
from bot.storage.database import Database
from bot.storage.key import load_key
from bot.storage.migrate import pending
from bot.vault import Vault
from bot.wiring import hidden_values

audit = typer.Typer(no_args_is_help=True, help="Verify and export the audit record.")
app.add_typer(audit, name="audit")


@contextmanager
def recorded() -> Iterator[Database]:
    """Yield the configured database for reading. Raises UserError if it has not been migrated."""
    settings = load()
    logs.configure(hidden_values(settings), as_json=settings.log_json)
    key = load_key(settings.secret_key.get_secret_value() or None, settings.data_dir)
    database = Database(settings.database, Vault(key))
    try:
        if pending(database.engine):
            raise UserError(
                "The database is not at this version.",
                next_step="Check that TOWPATH_DATABASE_URL or TOWPATH_DATA_DIR is the bot's, then run `towpath migrate`.",
            )
        yield database
    finally:
        database.close()


@audit.command("verify")
def check(
    head: str = typer.Option("", help="A head noted earlier: detects entries missing at the end."),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object."),
) -> None:
    """Verify that no entry was changed, inserted or removed. Exit code 1 if one was."""
    if head and not re.fullmatch(r"[0-9a-f]{64}", head):
        raise UserError(
            "`--head` is no digest: it has 64 characters, 0 to 9 and a to f.",
            next_step="Copy all of it from the output of an earlier `towpath audit verify`.",
        )
    with recorded() as database, working("Checking each entry"):
        found = verify(walk(database), head)
    if as_json:
        told = {"ok": found.ok, "entries": found.entries, "head": found.head, "number": found.number}
        print(json.dumps(told | {"why": found.why}))
    elif found.ok:
        count = "1 entry is" if found.entries == 1 else f"{found.entries} entries are"
        print(f"{count} intact. Head: {found.head}")
        print(
            "Keep the head elsewhere: `towpath audit verify --head <head>` later detects missing entries at the end."
        )
    else:
        print(found.why, file=sys.stderr)
    sys.exit(0 if found.ok else 1)


@audit.command()
def export(
    after: int = typer.Option(0, min=0, help="Only entries with a higher number than this."),
    output: Path | None = typer.Option(None, help="Write to this new file instead of standard output."),
) -> None:
    """Write the entries as JSON lines, oldest first."""
    with recorded() as database, _opened(output) as file:
        try:
            for entry in walk(database, after):
                print(line(entry), file=file)
        except (ValueError, TypeError):
            raise UserError(
                "An entry was changed and cannot be read. The entries before it were exported.",
                next_step="Run `towpath audit verify` to find it.",
            ) from None


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    """Yield standard output, or a new file that only its owner can read."""
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
