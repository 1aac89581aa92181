"""`towpath dev down`: destroy what was applied from here, then stop the dependencies."""

from __future__ import annotations

import json
import sys

import typer

from bot.cli.dev.dependencies import machine
from bot.cli.dev.desk import Desk, desk
from bot.cli.dev.group import AS_JSON, ENV, SHARED, YES, dev
from bot.cli.dev.questions import confirmed, require_answer
from bot.cli.dev.stacks import deployed_stacks
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
    shared: bool = SHARED,
    yes: bool = YES,
    as_json: bool = AS_JSON,
) -> None:
    """Destroy the resources that were applied from this working copy, then stop its dependencies, the last one first.

    Asks before it destroys. Exit code 1 if resources are left; the dependencies then keep running, since resources may
    need them to be destroyed."""
    here = desk()
    destroyed = [] if keep else _destroy(here, env, shared=shared, yes=yes, shown=not as_json)
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


def _destroy(here: Desk, env: str, *, shared: bool, yes: bool, shown: bool) -> list[dict[str, object]]:
    """Destroy the resources of each stack that has some, the last of the policy first; return how each ended."""
    environment = here.environment(env)
    stacks = [one.stack for one in deployed_stacks(here, environment, shared=shared) if one.resources]
    if stacks:
        require_answer(yes, "down")
    return [
        _destroy_one(here, environment.name, stack, shared=shared, yes=yes, shown=shown)
        for stack in reversed(stacks)
    ]


def _destroy_one(
    here: Desk, env: str, stack: str, *, shared: bool, yes: bool, shown: bool
) -> dict[str, object]:
    from bot.cli.dev.progress import watched
    from bot.cli.dev.session import working_copy
    from bot.cli.dev.shown import run_facts, show_destroyed, show_plan
    from bot.services.dev import destroy_working_copy, plan_working_copy

    with working_copy(here, env, stack, shared=shared) as (local, work):
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
