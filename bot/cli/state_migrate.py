"""`towpath state migrate`: move a target's state between the built-in backend and a bucket."""

from __future__ import annotations

import json
from typing import Literal

import typer

from bot import logs
from bot.cli.output import working
from bot.cli.state import state
from bot.domain.policy import PATH, BackendPolicy
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.states import MigratedState, migrate_state
from bot.settings import load
from bot.wiring import Bot, hidden_values


@state.command()
def migrate(
    target: str = typer.Argument(help="owner/name:stack:env[:instance]."),
    to: Literal["http", "s3"] = typer.Option(help="The new backend; `http` is the built-in one."),
    bucket: str = typer.Option("", help="The bucket. Default: TOWPATH_S3_BUCKET."),
    key: str = typer.Option("", help="Pattern of the key, with {env}, {stack} and {instance}."),
    region: str = typer.Option("auto", help="The bucket's region."),
    endpoint: str = typer.Option("", help="The endpoint (R2, MinIO). Default: TOWPATH_S3_ENDPOINT_URL."),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object."),
) -> None:
    """Copy a target's state to another backend under a lock, and verify that both are identical. The old state stays, and
    the target stays locked until the policy names the new backend."""
    try:
        wanted = Target.from_key(target)
    except ValueError:
        raise UserError(
            f"`{target}` names no target.",
            next_step="Write it as owner/name:stack:env, such as acme/infra:infra:prod.",
        ) from None
    settings = load()
    logs.configure(hidden_values(settings), as_json=settings.log_json)
    bot = Bot(settings)
    try:
        with working("Copying the state and comparing it"):
            moved = migrate_state(bot.context, wanted, BackendPolicy(to, bucket, key, region, endpoint))
    finally:
        bot.close()
    if as_json:
        print(json.dumps(_facts(moved)))
        return
    print(f"Copied the state of {moved.target.key}; both are identical byte for byte:")
    print(f"  serial {moved.state.serial}, lineage {moved.state.lineage}, sha256 {moved.state.sha256}")
    print(f"The old state is unchanged. Now put this into `{PATH}` and merge it:\n\n{moved.policy}\n")
    if moved.others:
        print(
            f"This changes all environments of the stack: migrate {', '.join(moved.others)} too before you merge."
        )
    print(f"The target is locked until then. Run `/unlock {moved.target.environment}` after the merge.")


def _facts(moved: MigratedState) -> dict[str, object]:
    return {
        "ok": True,
        "target": moved.target.key,
        "from": {"kind": moved.source.kind, **moved.source.config},
        "to": {"kind": moved.destination.kind, **moved.destination.config},
        "serial": moved.state.serial,
        "lineage": moved.state.lineage,
        "sha256": moved.state.sha256,
        "size": moved.state.size,
        "policy": moved.policy,
        "others": moved.others,
    }
