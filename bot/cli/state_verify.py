"""`towpath state verify|accept`: the record beside the backend, and beside what a laptop sees."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.audit import recorded
from bot.cli.state import AS_JSON, TARGET, one, state
from bot.domain.ports.terraform import Backend
from bot.domain.state import StateDamaged, StateInfo
from bot.domain.state_verify import Finding, same_place, same_state
from bot.domain.target import Target
from bot.errors import UserError
from bot.settings import load
from bot.state.bucket import Keys
from bot.state.places import Backends
from bot.storage.database import Database

LOCAL = ("terraform.tfstate", "errored.tfstate")
"""Files of a directory that hold a state of its own: one that was never pushed, or could not be."""


@state.command()
def verify(
    target: Annotated[str, TARGET],
    file: Annotated[Path | None, typer.Option(help="A state, as `terraform state pull` prints it.")] = None,
    directory: Annotated[Path | None, typer.Option(help="A root module, initialised on a laptop.")] = None,
    as_json: bool = AS_JSON,
) -> None:
    """Say whether backend, record and laptop mean the same state; exit code 1 where they do not."""
    with recorded() as database:
        chosen = one(database, target)
        found = list(_findings(database, chosen, file, directory))
    ok = all(one_finding.ok for one_finding in found)
    if as_json:
        print(json.dumps({"ok": ok, "target": chosen.key, "findings": [asdict(each) for each in found]}))
    else:
        for each in found:
            print(f"{'✓' if each.ok else '✗'} {each.said}")
    sys.exit(0 if ok else 1)


@state.command()
def accept(target: Annotated[str, TARGET]) -> None:
    """Record the backend's state as it is, after somebody has looked: runs were refused because it is another one."""
    with recorded() as database:
        chosen = one(database, target)
        with database.read() as tables:
            plan = tables.plans.newest_at(chosen)
        if plan is None or plan.backend["kind"] == "http":
            raise UserError(f"The state of {chosen.key} is in the built-in backend: it is the record itself.")
        data = _current(database, chosen, plan.backend)
        with database.begin() as tables:
            if data is None:
                tables.states.end(chosen.key)
            else:
                tables.states.append(chosen.key, data, StateInfo.parse(data), observed=True)
    print(f"Recorded: serial {StateInfo.parse(data).serial}." if data else "Recorded: there is no state.")


def _findings(
    database: Database, target: Target, file: Path | None, directory: Path | None
) -> Iterator[Finding]:
    with database.read() as tables:
        version, plan = tables.states.newest(target.key), tables.plans.newest_at(target)
        try:
            data = tables.states.data(version.id) if version else None
        except StateDamaged as error:
            yield Finding("record", ok=False, said=str(error))
            return
    if version is None:
        yield Finding("record", ok=True, said="The record has no state: it was ended.")
    else:
        said = f"The record has serial {version.serial}, lineage {version.lineage}, {version.resources} resources."
        yield Finding("record", ok=True, said=said)
    backend = plan.backend if plan else None
    if backend is None or backend["kind"] == "http":
        yield Finding(
            "backend", ok=True, said="The state is in the built-in backend: it is the record itself."
        )
    else:
        yield from same_state("the backend", _current(database, target, backend), data)
    if file is not None:
        yield from same_state("the file", _bytes(file), data)
    if directory is not None:
        yield from same_place(target, backend, _place(directory))
        for name in LOCAL:
            if (directory / name).is_file():
                yield from same_state(f"`{name}` there", _bytes(directory / name), data)


def _current(database: Database, target: Target, kept: dict[str, Any]) -> bytes | None:
    """The bucket's state now."""
    settings = load()
    keys = Keys(
        settings.s3_access_key_id.get_secret_value(), settings.s3_secret_access_key.get_secret_value()
    )
    places = Backends(database, base_url="", directory=settings.data_dir / "private", keys=keys)
    return places.current(target, Backend(kept["kind"], dict(kept["config"])))


def _place(directory: Path) -> dict[str, Any]:
    """The backend block that `init` left, and the workspace."""
    try:
        left = json.loads((directory / ".terraform" / "terraform.tfstate").read_bytes()).get("backend") or {}
    except (OSError, ValueError, AttributeError):
        raise UserError(
            f"{directory}/.terraform/terraform.tfstate cannot be read.",
            next_step="Run `terraform init` there.",
        ) from None
    chosen = directory / ".terraform" / "environment"
    return dict(left) | {"workspace": chosen.read_text().strip() if chosen.is_file() else ""}


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UserError(f"Cannot read {file}: {error.strerror}.") from None
