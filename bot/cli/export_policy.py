"""`towpath export check`, `init`, `mark`: write a policy, hold it against a database, and say which database may be replaced."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.export import export
from bot.cli.output import working
from bot.domain.exports import (
    PATH,
    DatabaseSchema,
    ExportPolicy,
    check_policy,
    first_policy,
    parse_export_policies,
    told,
    written,
)
from bot.domain.ports.exports import ExportControl, ExportJob, ExportSecrets
from bot.errors import UserError
from bot.exports import inspect, mark
from bot.settings import process_environment

_ADDRESS = typer.Option("", help="The database's address. Default: the environment's EXPORT_DATABASE_URL.")
_SILENT = ExportControl(lambda _phase, _progress: None, lambda: False)


@export.command()
def check(
    environment: Annotated[str, typer.Argument(help="Default: all that the file has.")] = "",
    policy: Path = typer.Option(Path(PATH), help="The file."),
    database_url: str = _ADDRESS,
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object."),
) -> None:
    """Hold `envs/export.toml` against the schema of the database that is read. Exit code 1, with the lines to add, if a column is
    not spoken for. Reads no row."""
    exports = parse_export_policies(_text(policy), str(policy)).exports
    if environment and environment not in exports:
        raise UserError(
            f"`{policy}` has no `[export.{environment}]`.",
            next_step=f"Run `towpath export init {environment} --from prod`.",
        )
    found = {
        name: check_policy(one, _schema(one, database_url))
        for name, one in exports.items()
        if environment in ("", name)
    }
    if as_json:
        facts = {
            name: [{"table": written(one.table), "what": one.what, "fix": list(one.fix)} for one in problems]
            for name, problems in found.items()
        }
        print(json.dumps({"ok": not any(found.values()), "exports": facts}))
    else:
        for name, problems in found.items():
            print(told(problems) if problems else f"{name}: every column is spoken for.")
    sys.exit(1 if any(found.values()) else 0)


@export.command()
def init(
    environment: str = typer.Argument(..., help="Whose data will be replaced, such as staging."),
    source: str = typer.Option(..., "--from", help="Whose data is read, such as prod."),
    output: str = typer.Option(PATH, help="Where to write; `-` prints."),
    database_url: str = _ADDRESS,
) -> None:
    """Write a first `envs/export.toml` from the schema of the database that is read. Nothing that may be personal is kept; read
    every line before you use it."""
    if output != "-" and Path(output).exists():
        raise UserError(
            f"`{output}` exists already.",
            next_step=f"Print what is missing with `towpath export check {environment}`, or use `--output -`.",
        )
    text = first_policy(
        _schema(ExportPolicy(environment, source, (), {}, ""), database_url), environment, source
    )
    if output == "-":
        print(text, end="")
        return
    Path(output).parent.mkdir(parents=True, exist_ok=True)
    Path(output).write_text(text)
    print(f"Wrote {output}. Read every line, then run `towpath export check {environment}`.")


@export.command(name="mark")
def mark_target(
    environment: str = typer.Argument(..., help="Whose database it is, such as staging."),
    repository: str = typer.Option(..., help="owner/name."),
    database_url: str = _ADDRESS,
) -> None:
    """Mark a database as one that exports may replace. Without the mark, nothing is ever written to it."""
    mark(_address(environment, database_url), repository.lower(), environment)
    print(f"Exports of {repository} to {environment} may replace this database from now on.")


def _schema(policy: ExportPolicy, database_url: str) -> DatabaseSchema:
    secrets = ExportSecrets(source=_address(policy.source, database_url))
    with working(f"Reading the schema of {policy.source}"):
        return inspect(ExportJob("", "", policy.environment, policy, secrets), _SILENT)


def _address(environment: str, given: str) -> str:
    name = f"{environment.upper().replace('-', '_')}_EXPORT_DATABASE_URL"
    found = given or process_environment().get(name, "")
    if not found:
        raise UserError(
            f"The address of {environment}'s database is not known.",
            next_step=f"Set `{name}`, or give `--database-url postgresql://user:password@host/database`.",
        )
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise UserError(
            f"`{path}` cannot be read: {error.strerror}.",
            next_step="Run it in the repository's directory, or give `--policy FILE`.",
        ) from None
