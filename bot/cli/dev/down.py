"""`towpath dev down`: destroy what was applied from here, then stop the dependencies."""

from __future__ import annotations

import json
import sys

import typer

from bot.cli.dev.dependencies import machine
from bot.cli.dev.desk import PULL, Desk, desk
from bot.cli.dev.group import AS_JSON, ENV, YES, dev
from bot.cli.dev.up import reporting
from bot.cli.output import columns
from bot.services.dev import take_down

_ENDED = {
    "stopped": "stopped",
    "killed": "killed: it did not stop when asked",
    "gone": "was not running any more",
}


@dev.command()
def down(
    env: str = ENV,
    keep: bool = typer.Option(
        False, "--keep", help="Keep the stacks' resources; only stop the dependencies."
    ),
    yes: bool = YES,
    as_json: bool = AS_JSON,
) -> None:
    """Destroy the resources that were applied from this working copy, then stop its dependencies, the last one first.

    Asks before it destroys. Exit code 1 if resources are left; the dependencies then keep running, since resources may
    need them to be destroyed."""
    here = desk()
    destroyed = [] if keep else _destroy(here, env, yes=yes, shown=not as_json)
    left = [one for one in destroyed if one["outcome"] != "applied"]
    ended = []
    if not left:
        runner = machine(here)
        names = runner.launcher.running()
        with here.alone(), reporting((), shown=not as_json) as report:
            ended = take_down(runner.launcher, report)
        if not as_json:
            columns((running.name, _ENDED[how], running.described) for running, how in ended)
            if not names:
                print("No dependency was running.")
    elif not as_json:
        print("The dependencies keep running: `towpath dev down --keep` stops them.".replace("`", ""))
    if as_json:
        stopped = [{"name": running.name, "ended": how} for running, how in ended]
        print(json.dumps({"ok": not left, "destroyed": destroyed, "stopped": stopped}))
    sys.exit(1 if left else 0)


def _destroy(here: Desk, env: str, *, yes: bool, shown: bool) -> list[dict[str, object]]:
    """Destroy the resources of each stack that has some, and return how each ended."""
    from bot.cli.dev.local import open_store
    from bot.services.dev import deployed

    environment = here.environment(env)
    if not (here.private / "towpath.db").exists():
        return []
    with open_store(here) as store:
        targets = [
            here.policy.target(here.copy.repository, name, environment.name, PULL)
            for name in here.policy.stacks
        ]
        stacks = [
            target.stack for target in targets if (found := deployed(store, target).state) and found.resources
        ]
    return [_destroy_one(here, environment.name, stack, yes=yes, shown=shown) for stack in stacks]


def _destroy_one(here: Desk, env: str, stack: str, *, yes: bool, shown: bool) -> dict[str, object]:
    from bot.cli.dev.progress import watched
    from bot.cli.dev.session import confirmed, require_answer, working_copy
    from bot.cli.dev.shown import run_facts, show_destroyed, show_plan
    from bot.services.dev import destroy_working_copy, plan_working_copy

    require_answer(yes, "down")
    with working_copy(here, env, stack) as (local, work):
        with watched(local.context, shown=shown):
            run, planned = plan_working_copy(local.context, work, destroy=True)
        if shown:
            show_plan(here, local, run, planned)
        if planned is None:
            return {"stack": stack, **run_facts(run), "outcome": "failed"}
        if not confirmed(f"Destroy this in {run.target}?", yes):
            return {"stack": stack, "outcome": "refused", "message": "You said no.", "next_step": ""}
        with watched(local.context, shown=shown):
            run = destroy_working_copy(local.context, work, planned)
        if shown:
            show_destroyed(run)
        return {"stack": stack, **run_facts(run)}
