"""`towpath dev status`: the dependencies, and what is deployed."""

from __future__ import annotations

import json
import sys

from bot.cli.dev.dependencies import machine
from bot.cli.dev.desk import PULL, Desk, desk
from bot.cli.dev.group import AS_JSON, ENV, dev
from bot.cli.output import columns, console
from bot.domain.dev import Dependency
from bot.domain.policy import Environment
from bot.services.dev import look_at

_SIGNS = {"healthy": "✓", "unhealthy": "✗", "died": "✗", "stopped": "·"}


@dev.command()
def status(env: str = ENV, as_json: bool = AS_JSON) -> None:
    """Show each dependency with its health, ports and log, and what is deployed from here. Exit code 1 if one that was
    started is not healthy."""
    here = desk()
    environment = here.environment(env)
    found = look_at(machine(here), here.own_needs(environment))
    stacks = _stacks(here, environment)
    ok = all(one.health in ("healthy", "stopped") for one in found)
    if as_json:
        told = {
            "ok": ok,
            "environment": environment.name,
            "dependencies": [*map(facts, found)],
            "stacks": stacks,
        }
        print(json.dumps(told))
    else:
        columns(_row(one) for one in found)
        for one in found:
            if one.health in ("unhealthy", "died"):
                console().print(f"\n{one.name}: {one.message}", markup=False)
        if found:
            print()
        columns((str(stack["stack"]), _deployed(stack)) for stack in stacks)
    sys.exit(0 if ok else 1)


def facts(one: Dependency) -> dict[str, object]:
    """Return how a dependency is, for JSON."""
    running = one.running
    return {
        "name": one.name,
        "health": one.health,
        "declared": one.declared,
        "ports": list(one.ports),
        "pid": running.pid if running else 0,
        "container": running.container if running else "",
        "log": running.log if running else "",
        "message": one.message,
    }


def _row(one: Dependency) -> tuple[str, ...]:
    ports = " ".join(f"127.0.0.1:{port}" for port in one.ports)
    health = one.health if one.declared else f"{one.health}, no longer in the policy"
    what = f"{one.running.described}, log: {one.running.log}" if one.running else "`towpath dev up` starts it"
    return _SIGNS[one.health], one.name, health, ports, what.replace("`", "")


def _stacks(here: Desk, environment: Environment) -> list[dict[str, object]]:
    """Return what is deployed of each stack; nothing is made where nothing was applied yet."""
    names = [stack.name for stack in here.stacks_of(environment.name)]
    if not (here.private / "towpath.db").exists():
        return [{"stack": name, "resources": 0, "serial": None, "last": None} for name in names]
    from bot.cli.dev.local import open_store
    from bot.services.dev import deployed

    found: list[dict[str, object]] = []
    with open_store(here) as store:
        for name in names:
            known = deployed(store, here.policy.target(here.copy.repository, name, environment.name, PULL))
            last, release = known.last, known.release
            found.append(
                {
                    "stack": name,
                    "resources": known.state.resources if known.state else 0,
                    "serial": known.state.serial if known.state else None,
                    "last": last
                    and {
                        "outcome": last.outcome,
                        "commit": last.commit,
                        "at": last.finished_at.isoformat() if last.finished_at else None,
                        "message": last.message,
                    },
                    "verification": release.verification if release and release.active else None,
                    "url": release.url if release and release.active else "",
                }
            )
    return found


def _deployed(stack: dict[str, object]) -> str:
    last = stack["last"]
    if not isinstance(last, dict):
        return "nothing applied yet"
    when = str(last["at"] or "")[:16].replace("T", " ")
    checks = {"passed": ", smoke checks passed", "failed": ", smoke checks FAILED"}.get(
        str(stack["verification"]), ""
    )
    url = f", {stack['url']}" if stack["url"] else ""
    number = stack["resources"]
    if not number and last["outcome"] == "applied":
        return f"nothing deployed; destroyed at {when} UTC"
    some = "1 resource" if number == 1 else f"{number} resources"
    return f"{some}, serial {stack['serial']}; last apply: {last['outcome']} at {when} UTC{checks}{url}"
