"""`towpath state migrate`: move a target's state between the built-in backend and a bucket."""

from __future__ import annotations

import json
from typing import Literal

import typer

from bot import logs
from bot.cli.state import state
from bot.domain.policy import PATH, BackendPolicy
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.migrating import Moved, move
from bot.settings import load
from bot.wiring import Bot


@state.command()
def migrate(
    target: str = typer.Argument(help="owner/name:stack:env[:instance]."),
    to: Literal["http", "s3"] = typer.Option(help="`http` is the built-in backend."),
    bucket: str = typer.Option("", help="The bucket; TOWPATH_S3_BUCKET where it is left out."),
    key: str = typer.Option("", help="The key's pattern, with {env}, {stack} and {instance}."),
    region: str = typer.Option("auto", help="The bucket's region."),
    endpoint: str = typer.Option(
        "", help="The endpoint (R2, MinIO); TOWPATH_S3_ENDPOINT_URL where it is left out."
    ),
    as_json: bool = typer.Option(False, "--json", help="One JSON object instead of sentences."),
) -> None:
    """Copy a target's state to another backend while nobody works on it, and prove that it is the same there. The old
    one stays as it is, and the target stays locked until the policy says so too."""
    try:
        wanted = Target.from_key(target)
    except ValueError:
        raise UserError(
            f"`{target}` names no target.",
            next_step="Write it as owner/name:stack:env, such as acme/infra:infra:prod.",
        ) from None
    settings = load()
    logs.configure(settings.secrets(), as_json=settings.log_json)
    bot = Bot(settings)
    try:
        moved = move(bot.context, wanted, BackendPolicy(to, bucket, key, region, endpoint))
    finally:
        bot.close()
    if as_json:
        print(json.dumps(_facts(moved)))
        return
    print(f"The state of {moved.target.key} is in the new place, the same byte for byte:")
    print(f"  serial {moved.state.serial}, lineage {moved.state.lineage}, sha256 {moved.state.sha256}")
    print(f"The old one is untouched. Now write in `{PATH}`, and merge it:\n\n{moved.policy}\n")
    if moved.others:
        print(
            f"These lines are those of all its environments: move {', '.join(moved.others)} too before that."
        )
    print(f"The target is locked until then: `/unlock {moved.target.environment}` after the merge.")


def _facts(moved: Moved) -> dict[str, object]:
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
