"""`towpath state list|show|diff|export`: the recorded versions."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.audit import recorded
from bot.cli.state import AS_JSON, TARGET, known, one, state
from bot.domain.results import Difference, History
from bot.domain.state import StateVersion
from bot.domain.state_diff import StateDiff, diff
from bot.domain.target import Target
from bot.environment import secrets_of
from bot.errors import UserError
from bot.render.reply import in_terminal
from bot.settings import load
from bot.storage.database import Database

SHOWN = 20
MOST = 100_000


@state.command("list")
def list_versions(
    target: str = typer.Argument(
        "", help="As for the others; without it, all targets and their newest version."
    ),
    limit: int = typer.Option(SHOWN, min=1, max=MOST, help="How many versions, newest first."),
    as_json: bool = AS_JSON,
) -> None:
    """List the recorded versions of a target, each read and checked; exit code 1 where one of them is damaged."""
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
        print(in_terminal(History(chosen, shown, len(versions) > limit, releases, damaged)))
    sys.exit(1 if damaged else 0)


def _targets(database: Database, *, as_json: bool) -> None:
    with database.read() as tables:
        newest = [(target, tables.states.newest(target.key)) for target in known(database)]
    if as_json:
        print(json.dumps({"targets": [{"target": t.key, "newest": v and facts(v)} for t, v in newest]}))
        return
    for target, version in newest:
        print(f"{target.key}  {f'serial {version.serial}' if version else 'no state any more'}")


@state.command()
def show(
    target: Annotated[str, TARGET],
    serial: Annotated[int | None, typer.Argument(help="The newest without it.")] = None,
    as_json: bool = AS_JSON,
) -> None:
    """Say what is recorded of a version, and which resources it has; values stay out."""
    with recorded() as database:
        _chosen, version, data = _read(database, target, serial)
    held = _compared(b"", data, ())
    if as_json:
        resources = [change.address for change in held.changes]
        outputs = [output.path for output in held.outputs]
        print(json.dumps(facts(version) | {"addresses": resources, "output_names": outputs}))
        return
    for name, value in facts(version).items():
        print(f"{name:<10}  {value}")
    for change in held.changes:
        print(change.address)
    for output in held.outputs:
        print(f"output.{output.path}")


@state.command("diff")
def compare(
    target: Annotated[str, TARGET],
    first: Annotated[int | None, typer.Argument(help="A serial.")] = None,
    second: Annotated[int | None, typer.Argument(help="Another; the newest without it.")] = None,
    as_json: bool = AS_JSON,
) -> None:
    """Compare two versions, the last two where none is named. What is sensitive is masked."""
    settings = load()
    with recorded() as database:
        chosen = one(database, target)
        if first is None:
            with database.read() as tables:
                newest = tables.states.versions(chosen.key, 2)
            if len(newest) < 2:
                raise UserError(f"Only one state of {chosen.key} was recorded: there is nothing to compare.")
            first = newest[1].serial
        _chosen, before, old = _read(database, chosen.key, first)
        _chosen, after, new = _read(database, chosen.key, second)
    secrets = secrets_of(f"{chosen.environment.upper().replace('-', '_')}_", settings.data_dir)
    found = Difference(chosen, before, after, _compared(old, new, (*settings.secrets(), *secrets.values())))
    if as_json:
        print(json.dumps({"before": facts(before), "after": facts(after), "diff": asdict(found.diff)}))
    else:
        print(in_terminal(found))


@state.command()
def export(
    target: Annotated[str, TARGET],
    serial: Annotated[int | None, typer.Argument(help="The newest without it.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="A new file to write to, instead of standard output.")
    ] = None,
) -> None:
    """Write a version out, byte for byte. Secrets are in it in clear: a file that is made is its owner's alone."""
    with recorded() as database:
        _chosen, _version, data = _read(database, target, serial)
    _write(data, output)


@state.command()
def unsaved(
    target: Annotated[str, TARGET],
    output: Annotated[
        Path | None, typer.Option(help="A new file to write to, instead of standard output.")
    ] = None,
) -> None:
    """Write out what the newest apply that could not upload its state left, and nobody has pushed: also where
    `/push-state` was refused, since the state had moved on. Secrets are in it in clear."""
    with recorded() as database, database.read() as tables:
        left = tables.unsaved.left()
        if not left:
            raise UserError("No state waits to be pushed, and none was overtaken.")
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
    """What is recorded of a version, as JSON has it."""
    return asdict(version) | {"created_at": version.created_at.isoformat()}


def _read(database: Database, word: str, serial: int | None) -> tuple[Target, StateVersion, bytes]:
    """Raises UserError, StateDamaged among them."""
    target = one(database, word)
    with database.read() as tables:
        newest = tables.states.versions(target.key, 1)[0]
        version = newest if serial is None else tables.states.numbered(target.key, serial)
        if version is None:
            raise UserError(
                f"No state of {target.key} with serial {serial} was recorded.",
                next_step=f"`towpath state list {target.key}` lists those that were.",
            )
        return target, version, tables.states.data(version.id)


def _compared(before: bytes, after: bytes, hidden: tuple[str, ...]) -> StateDiff:
    try:
        return diff(before, after, hidden)
    except ValueError as error:
        raise UserError(
            f"This state cannot be looked into: {error}.", next_step="`towpath state export` writes it out."
        ) from None
