"""`towpath state verify|accept`: compare the recorded state with the backend and with a laptop's."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.audit import recorded
from bot.cli.output import marks, working
from bot.cli.state import AS_JSON, TARGET, one, state
from bot.cli.state_access import ask_bot
from bot.cli.state_directory import bytes_of, initialised, parsed, place_of_directory, pulled
from bot.domain.ports.terraform import Backend
from bot.domain.states import (
    Finding,
    StateDamaged,
    StateInfo,
    StatePlace,
    place_of,
    same_place,
    same_state,
    same_version,
)
from bot.domain.target import Target
from bot.errors import UserError
from bot.settings import load
from bot.state.backends import Backends
from bot.state.bucket import Keys
from bot.storage.database import Database

LOCAL = ("terraform.tfstate", "errored.tfstate")
"""Files of a directory that hold a state that was not pushed."""
HERE = Path()


@state.command()
def verify(
    target: Annotated[str, TARGET],
    file: Annotated[Path | None, typer.Option(help="A state file from `terraform state pull`.")] = None,
    directory: Annotated[
        Path | None,
        typer.Option(help="An initialised root module. Default: the current directory, if it is one."),
    ] = None,
    url: Annotated[
        str,
        typer.Option(
            help="Ask the bot at this address instead: for laptops. Then `target` is the environment."
        ),
    ] = "",
    repository: Annotated[str, typer.Option(help="owner/name; with --url.")] = "",
    stack: Annotated[str, typer.Option(help="The stack, if there are several; with --url.")] = "",
    pull: Annotated[int, typer.Option(min=0, help="The pull request of an instance; with --url.")] = 0,
    as_json: bool = AS_JSON,
) -> None:
    """Check that backend, record and laptop have the same state. Exit code 1 if they differ. On the server it reads the
    record; with --url it asks the bot, and runs `terraform state pull` in the directory."""
    here = directory or (HERE if url or initialised(HERE) else None)
    if url:
        wish = {"repository": repository, "environment": target, "stack": stack, "pull": pull}
        with working("Comparing"):
            name, findings = _asked(url, wish, here or HERE, file)
    elif repository or stack or pull:
        raise UserError(
            "`--repository`, `--stack` and `--pull` only work with `--url`.", next_step="Add `--url`."
        )
    else:
        with recorded() as database, working("Comparing"):
            chosen = one(database, target)
            name, findings = chosen.key, list(_findings(database, chosen, file, here))
    ok = all(each.ok for each in findings)
    if as_json:
        print(json.dumps({"ok": ok, "target": name, "findings": [asdict(each) for each in findings]}))
    else:
        marks((each.ok, each.said) for each in findings)
        for step in dict.fromkeys(each.next_step for each in findings if each.next_step):
            print(step)
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


def _asked(
    url: str, wish: Mapping[str, object], directory: Path, file: Path | None
) -> tuple[str, Sequence[Finding]]:
    """Return the target's key, and what a laptop can compare: the place, and the version that its Terraform gets."""
    if not wish["repository"]:
        raise UserError("The repository is missing.", next_step="Add `--repository owner/name`.")
    mine = place_of_directory(directory)
    given = ask_bot(url, "place", wish)
    try:
        name, place = str(given["target"]), StatePlace(**given["place"])
        told = given["state"]
        version = StateInfo(told["serial"], told["lineage"], "", 0, told["resources"]) if told else None
    except (KeyError, TypeError):
        raise UserError(f"{url} did not answer like Towpath.", next_step="Check `--url`.") from None
    theirs = parsed(bytes_of(file), f"`{file}`") if file else pulled(directory)
    where = "the file" if file else "the directory"
    return name, [
        _located(name, place, version),
        *same_place(place, mine),
        *same_version(where, version, theirs),
    ]


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
    place = place_of(target, backend["kind"], backend["config"]) if backend else place_of(target, "http", {})
    if backend is None or backend["kind"] == "http":
        said = "The state is in the built-in backend, so it is the record itself."
        yield Finding("backend", ok=True, said=said)
    else:
        current = _current(database, target, backend)
        yield _located(target.key, place, parsed(current or b"", "the state in the bucket"))
        yield from same_state("the backend", current, data)
    if file is not None:
        yield from same_state("the file", bytes_of(file), data)
    if directory is not None:
        yield from same_place(place, place_of_directory(directory))
        for name in LOCAL:
            if (directory / name).is_file():
                yield from same_state(f"`{name}` there", bytes_of(directory / name), data)


def _located(name: str, place: StatePlace, version: StateInfo | None) -> Finding:
    """Where the bot has the state, and what it reads there. It is a fact, and never wrong."""
    found = f"serial {version.serial}, lineage {version.lineage}" if version else "no state"
    return Finding("place", ok=True, said=f"Towpath has {name} in {place}: {found}.")


def _current(database: Database, target: Target, kept: Mapping[str, Any]) -> bytes | None:
    """Return the bucket's current state."""
    settings = load()
    keys = Keys(
        settings.s3_access_key_id.get_secret_value(), settings.s3_secret_access_key.get_secret_value()
    )
    places = Backends(database, base_url="", directory=settings.data_dir / "private", keys=keys)
    return places.current(target, Backend(kept["kind"], dict(kept["config"])))
