"""`towpath dev ci`: run on this machine what ci will run for the latest commit."""

from __future__ import annotations

import json
import sys

import typer

from bot.cli.dev.desk import desk
from bot.cli.dev.group import AS_JSON, dev


@dev.command()
def ci(
    env: str = typer.Option("ci", help="The environment whose rules apply."),
    stack: str = typer.Option("", help="Run this stack even if the commit does not touch it."),
    pull: int = typer.Option(1, min=1, help="The pull request's number, for `{pr}` in the policy."),
    as_json: bool = AS_JSON,
) -> None:
    """Plan the latest commit as the bot will, on an empty state of its own, and say what its check will say.

    With `on_pull_request = "verify"` it is also applied, checked and destroyed. Uncommitted changes do not count. Exit
    code 1 if the check will not succeed."""
    from bot.cli.dev.ci_session import check_commit
    from bot.cli.dev.ci_shown import facts, show

    here = desk()
    result = check_commit(here, env, stack, pull, shown=not as_json)
    if as_json:
        print(json.dumps(facts(here, result)))
    else:
        show(here, result)
    sys.exit(0 if result.ok else 1)
