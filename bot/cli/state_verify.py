"""`towpath state verify|accept`: compare the recorded state with the backend and with a laptop's."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.audit import recorded
from bot.cli.output import marks, working
from bot.cli.state import AS_JSON, TARGET, one, state
from bot.domain.ports.terraform import Backend
from bot.domain.states import Finding, StateDamaged, StateInfo, same_place, same_state
from bot.domain.target import Target
from bot.errors import UserError
from bot.settings import load
from bot.state.backends import Backends
from bot.state.bucket import Keys
from bot.storage.database import Database

LOCAL = ("terraform.tfstate", "errored.tfstate")
"""Files of a directory that hold a state that was not pushed."""


@state.command()
def verify(
    target: Annotated[str, TARGET],
    file: Annotated[Path | None, typer.Option(help="A state file from `terraform state pull`.")] = None,
    directory: Annotated[Path | None, typer.Option(help="An initialised root module.")] = None,
    as_json: bool = AS_JSON,
) -> None:
    """Check that backend, record and laptop have the same state. Exit code 1 if they differ."""
    with recorded() as database, working("Comparing"):
        chosen = one(database, target)
        found = list(_findings(database, chosen, file, directory))
    ok = all(one_finding.ok for one_finding in found)
    if as_json:
        print(json.dumps({"ok": ok, "target": chosen.key, "findings": [asdict(each) for each in found]}))
    else:
        marks((each.ok, each.said) for each in found)
    sys.exit(0 if ok else 1)


@state.command()
def accept(target: Annotated[str, TARGET]) -> None:
    """Record the backend's state as it is, after runs were refused because it differs from the record."""
    with recorded() as database:
        chosen = one(database, target)
        with database.read() as tables:
            plan = tables.plans.newest_at(chosen)
        if plan is None or plan.backend["kind"] == "http":
            raise UserError(
                f"The state of {chosen.key} is in the built-in backend, so it is the record itself."
            )
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
        yield Finding("record", ok=True, said="The record has no state: it was deleted.")
    else:
        said = f"The record has serial {version.serial}, lineage {version.lineage}, {version.resources} resources."
        yield Finding("record", ok=True, said=said)
    backend = plan.backend if plan else None
    if backend is None or backend["kind"] == "http":
        yield Finding(
            "backend", ok=True, said="The state is in the built-in backend, so it is the record itself."
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


def _current(database: Database, target: Target, kept: Mapping[str, Any]) -> bytes | None:
    """Return the bucket's current state."""
    settings = load()
    keys = Keys(
        settings.s3_access_key_id.get_secret_value(), settings.s3_secret_access_key.get_secret_value()
    )
    places = Backends(database, base_url="", directory=settings.data_dir / "private", keys=keys)
    return places.current(target, Backend(kept["kind"], dict(kept["config"])))


def _place(directory: Path) -> dict[str, Any]:
    """Return the backend that `init` configured, and the workspace."""
    try:
        left = json.loads((directory / ".terraform" / "terraform.tfstate").read_bytes()).get("backend") or {}
    except (OSError, ValueError, AttributeError):
        raise UserError(
            f"{directory}/.terraform/terraform.tfstate cannot be read.",
            next_step="Run `terraform init` in it.",
        ) from None
    chosen = directory / ".terraform" / "environment"
    return dict(left) | {"workspace": chosen.read_text().strip() if chosen.is_file() else ""}


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UserError(f"Cannot read {file}: {error.strerror}.") from None
