"""`towpath state list|show|diff|export|unsaved`: the recorded versions."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.audit import recorded
from bot.cli.output import columns, document
from bot.cli.state import AS_JSON, TARGET, known, one, state
from bot.domain.chat import History, StateComparison
from bot.domain.ports.secrets import SecretsScope
from bot.domain.secrets import WELL_KNOWN
from bot.domain.states import StateDiff, StateVersion, diff_states
from bot.domain.target import Target
from bot.errors import UserError
from bot.render.reply import reply
from bot.settings import load
from bot.storage.database import Database
from bot.wiring import hidden_values, secret_sources

SHOWN = 20
MOST = 100_000


@state.command("list")
def list_versions(
    target: str = typer.Argument(
        "", help="A target, as for the other commands. Default: all targets with their latest version."
    ),
    limit: int = typer.Option(SHOWN, min=1, max=MOST, help="How many versions, newest first."),
    as_json: bool = AS_JSON,
) -> None:
    """List the recorded versions of a target after reading and checking each. Exit code 1 if one is damaged."""
    with recorded() as database:
        if not target:
            _targets(database, as_json=as_json)
            return
        chosen = one(database, target)
        with database.read() as tables:
            versions = tables.states.versions(chosen.key, limit + 1)
            shown = tuple(versions[:limit])
            releases = {v.release: found for v in shown if (found := tables.releases.get(v.release))}
            damaged = tables.states.damaged(shown)
    if as_json:
        told = [facts(version) | {"damaged": version.id in damaged} for version in shown]
        print(json.dumps({"ok": not damaged, "target": chosen.key, "versions": told}))
    else:
        document(reply(History(chosen, shown, len(versions) > limit, releases, damaged)))
    sys.exit(1 if damaged else 0)


def _targets(database: Database, *, as_json: bool) -> None:
    with database.read() as tables:
        newest = [(target, tables.states.newest(target.key)) for target in known(database)]
    if as_json:
        print(json.dumps({"targets": [{"target": t.key, "newest": v and facts(v)} for t, v in newest]}))
        return
    columns((t.key, f"serial {v.serial}" if v else "no state any more") for t, v in newest)


@state.command()
def show(
    target: Annotated[str, TARGET],
    serial: Annotated[int | None, typer.Argument(help="A serial. Default: the latest.")] = None,
    as_json: bool = AS_JSON,
) -> None:
    """Show what is recorded about a version and its resources' addresses, without values."""
    with recorded() as database:
        _chosen, version, data = _read(database, target, serial)
    held = _compared(b"", data, ())
    if as_json:
        resources = [change.address for change in held.changes]
        outputs = [output.path for output in held.outputs]
        print(json.dumps(facts(version) | {"addresses": resources, "output_names": outputs}))
        return
    columns((name, str(value)) for name, value in facts(version).items())
    for change in held.changes:
        print(change.address)
    for output in held.outputs:
        print(f"output.{output.path}")


@state.command("diff")
def compare(
    target: Annotated[str, TARGET],
    first: Annotated[int | None, typer.Argument(help="A serial.")] = None,
    second: Annotated[int | None, typer.Argument(help="Another serial. Default: the latest.")] = None,
    as_json: bool = AS_JSON,
) -> None:
    """Compare two versions, by default the last two. Sensitive values are masked."""
    settings = load()
    with recorded() as database:
        chosen = one(database, target)
        if first is None:
            with database.read() as tables:
                newest = tables.states.versions(chosen.key, 2)
            if len(newest) < 2:
                raise UserError(
                    f"Only one state of {chosen.key} is recorded, so there is nothing to compare."
                )
            first = newest[1].serial
        _chosen, before, old = _read(database, chosen.key, first)
        _chosen, after, new = _read(database, chosen.key, second)
    prefix = f"{chosen.environment.upper().replace('-', '_')}_"
    secrets = secret_sources(settings)(SecretsScope(chosen.repository, chosen.environment, prefix))
    found = StateComparison(
        chosen, before, after, _compared(old, new, (*hidden_values(settings), *secrets.hidden(WELL_KNOWN)))
    )
    if as_json:
        print(json.dumps({"before": facts(before), "after": facts(after), "diff": asdict(found.diff)}))
    else:
        document(reply(found))


@state.command()
def export(
    target: Annotated[str, TARGET],
    serial: Annotated[int | None, typer.Argument(help="A serial. Default: the latest.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write to this new file instead of standard output.")
    ] = None,
) -> None:
    """Export a version byte for byte. It contains secrets in clear text; only you can read the new file."""
    with recorded() as database:
        _chosen, _version, data = _read(database, target, serial)
    _write(data, output)


@state.command()
def unsaved(
    target: Annotated[str, TARGET],
    output: Annotated[
        Path | None, typer.Option(help="Write to this new file instead of standard output.")
    ] = None,
) -> None:
    """Export the latest state that an apply could not upload and that nobody pushed, also after `/push-state` was refused.
    It contains secrets in clear text."""
    with recorded() as database, database.read() as tables:
        left = tables.unsaved.left()
        if not left:
            raise UserError("No state is waiting to be pushed.")
        chosen = one(database, target, sorted({state.target for state in left}))
        data = tables.unsaved.data(next(state.id for state in left if state.target == chosen))
    _write(data, output)


def _write(data: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(data)
        return
    try:
        handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise UserError(
            f"Cannot write a new file {output}: {error.strerror}.", next_step="Name another with `--output`."
        ) from None
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def facts(version: StateVersion) -> dict[str, Any]:
    """Return what is recorded about a version, for JSON."""
    return asdict(version) | {"created_at": version.created_at.isoformat()}


def _read(database: Database, word: str, serial: int | None) -> tuple[Target, StateVersion, bytes]:
    """Return a version and its data. Raises UserError; StateDamaged if it is damaged."""
    target = one(database, word)
    with database.read() as tables:
        newest = tables.states.versions(target.key, 1)[0]
        version = newest if serial is None else tables.states.numbered(target.key, serial)
        if version is None:
            raise UserError(
                f"There is no recorded state of {target.key} with serial {serial}.",
                next_step=f"Run `towpath state list {target.key}`.",
            )
        return target, version, tables.states.data(version.id)


def _compared(before: bytes, after: bytes, hidden: tuple[str, ...]) -> StateDiff:
    try:
        return diff_states(before, after, hidden)
    except ValueError as error:
        raise UserError(
            f"This state cannot be parsed: {error}.", next_step="Run `towpath state export` to get the file."
        ) from None
