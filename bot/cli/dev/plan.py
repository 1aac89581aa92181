"""`towpath dev plan`: what applying the working copy would change on this machine's own state."""

from __future__ import annotations

import json
import sys

from bot.cli.dev.desk import desk
from bot.cli.dev.group import AS_JSON, ENV, SHARED, STACK, dev


@dev.command()
def plan(env: str = ENV, stack: str = STACK, shared: bool = SHARED, as_json: bool = AS_JSON) -> None:
    """Plan the files of the working copy as they are on disk, with the bot's checks, var files, secrets and sandbox.

    The state is this machine's own. Exit code 1 if the plan fails."""
    from bot.cli.dev.progress import watched
    from bot.cli.dev.session import working_copy
    from bot.cli.dev.shown import plan_facts, show_plan, succeeded
    from bot.services.dev import plan_working_copy

    here = desk()
    with working_copy(here, env, stack, shared=shared) as (local, work):
        with watched(local.context, shown=not as_json):
            run, planned = plan_working_copy(local.context, work)
        if as_json:
            print(json.dumps({"ok": succeeded(run), **plan_facts(here, local, run, planned)}))
        else:
            show_plan(here, local, run, planned)
    sys.exit(0 if succeeded(run) else 1)
