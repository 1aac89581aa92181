"""`towpath dev doctor`: what is missing on this machine for the environment to work."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial

from bot.cli.dev.desk import Desk, desk
from bot.cli.dev.group import AS_JSON, ENV, dev
from bot.cli.output import marks, working
from bot.errors import UserError


@dataclass(frozen=True)
class Finding:
    """The result of one check. next_step: what to do if it did not pass, "" otherwise."""

    part: str
    ok: bool
    found: str
    next_step: str = ""


@dev.command()
def doctor(env: str = ENV, as_json: bool = AS_JSON) -> None:
    """Check everything that `towpath dev` needs here: policy, engine, sandbox, dependencies, var files, variables, secrets.

    Exit code 1 if something is missing; each line says what to do."""
    here = desk()
    with working("Checking each part"):
        found = findings(here, env)
    ok = all(one.ok for one in found)
    if as_json:
        print(json.dumps({"ok": ok, "parts": [asdict(one) for one in found]}))
    else:
        marks((one.ok, one.part, f"{one.found} {one.next_step}".strip()) for one in found)
    sys.exit(0 if ok else 1)


def findings(here: Desk, env: str) -> list[Finding]:
    """Check each part. What depends on the policy is left out where there is none."""
    from bot.cli.dev import checkup

    found = [
        _look("git", lambda: f"{here.copy.repository} in {here.copy.top}"),
        _look("policy", lambda: f"{here.policy.source}"),
        _look("engine", lambda: checkup.engine(here)),
        _look("sandbox", lambda: checkup.sandbox(here)),
    ]
    if not found[1].ok:
        return found
    found.append(_look("environment", lambda: checkup.environment(here, env)))
    if not found[-1].ok:
        return found
    environment = here.environment(env)
    found += [_look(need.name, partial(checkup.dependency, need)) for need in here.own_needs(environment)]
    for stack in here.stacks_of(environment.name):
        for part, check in (("files", checkup.files), ("variables", checkup.variables)):
            found.append(_look(f"{stack.name}: {part}", partial(check, here, stack, environment)))
    found.append(_look("secrets", lambda: checkup.secrets(here, environment)))
    return found


def _look(part: str, check: Callable[[], str]) -> Finding:
    """Run one check; an error becomes a failed finding with its next step."""
    try:
        return Finding(part, True, check())
    except UserError as error:
        return Finding(part, False, error.what, error.next_step)
