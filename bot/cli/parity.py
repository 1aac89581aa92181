"""`towpath parity`: compare environments that should be alike."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from bot import logs
from bot.cli.main import app
from bot.cli.output import document, working
from bot.cli.repositories import chosen_repository
from bot.domain.parity import Difference, Parity
from bot.render.reply import reply
from bot.services.parity import Filter, compare_environments
from bot.settings import load
from bot.wiring import Bot, hidden_values


@app.command()
def parity(
    repository: Annotated[
        str, typer.Argument(help="owner/name. Default: the only one that the bot knows.")
    ] = "",
    env: str = typer.Option("", help="Only the groups that this environment is in."),
    stack: str = typer.Option("", help="Only this stack."),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object."),
) -> None:
    """Compare environments that should be alike. Exit code 1 if a difference is not declared in the policy. Run it with the
    bot's own environment, since that is where names of secrets come from."""
    settings = load()
    logs.configure(hidden_values(settings), as_json=settings.log_json)
    bot = Bot(settings)
    try:
        chosen = chosen_repository(bot, repository, "towpath parity")
        with working("Comparing"):
            found = compare_environments(bot.context, chosen, Filter(env, stack))
    finally:
        bot.close()
    if as_json:
        print(json.dumps(_facts(found)))
    else:
        document(reply(found))
    sys.exit(0 if found.ok else 1)


def _facts(found: Parity) -> dict[str, Any]:
    return {
        "ok": found.ok,
        "repository": found.repository,
        "commit": found.commit,
        "groups": [
            {
                "stack": one.stack,
                "environments": list(one.environments),
                "compared": one.compared,
                "differences": [_difference(each) for each in one.differences],
                "not_compared": list(one.gaps),
            }
            for one in found.comparisons
        ],
        "unused": [{"environments": list(one.environments), "what": one.what} for one in found.unused],
    }


def _difference(one: Difference) -> dict[str, Any]:
    """A sensitive value is null, as is a missing one, which has no type either."""
    return {
        "what": one.what,
        "kind": one.kind,
        "declared": bool(one.reason),
        "reason": one.reason,
        "sides": [
            {
                "environments": list(side.environments),
                "missing": side.value is None,
                "sensitive": side.hidden,
                "value": None if side.hidden else side.value,
                "type": side.kind,
                "place": side.place,
            }
            for side in one.sides
        ],
    }
