"""`towpath dev apply`: apply the working copy to this machine's own state."""

from __future__ import annotations

import json
import sys

from bot.cli.dev.desk import desk
from bot.cli.dev.group import AS_JSON, ENV, SHARED, STACK, YES, dev
from bot.cli.dev.questions import confirmed, require_answer


@dev.command()
def apply(
    env: str = ENV, stack: str = STACK, shared: bool = SHARED, yes: bool = YES, as_json: bool = AS_JSON
) -> None:
    """Plan the working copy, show the plan and ask, apply exactly that plan, then run the environment's smoke checks.

    Exit code 1 if the plan, the apply or a check fails, or the answer is no."""
    from bot.cli.dev.progress import watched
    from bot.cli.dev.session import working_copy
    from bot.cli.dev.shown import applied_facts, plan_facts, show_applied, show_plan, succeeded
    from bot.services.dev import apply_working_copy, plan_working_copy

    here = desk()
    require_answer(yes, "apply")
    with working_copy(here, env, stack, shared=shared) as (local, work):
        with watched(local.context, shown=not as_json):
            run, planned = plan_working_copy(local.context, work)
        told = {"plan": plan_facts(here, local, run, planned)}
        if not as_json:
            show_plan(here, local, run, planned)
        ok = False
        if planned and (not planned.has_changes or confirmed(f"Apply this to {run.target}?", yes)):
            with watched(local.context, shown=not as_json):
                run, release = apply_working_copy(local.context, work, planned)
            ok = succeeded(run, release)
            told["apply"] = applied_facts(run, release)
            if not as_json:
                print()
                show_applied(run, release)
    if as_json:
        print(json.dumps({"ok": ok, **told}))
    sys.exit(0 if ok else 1)
