"""`towpath dev status`: the dependencies, and what is deployed."""

from __future__ import annotations

import json
import sys

from bot.cli.dev.dependencies import machine
from bot.cli.dev.desk import desk
from bot.cli.dev.group import AS_JSON, ENV, SHARED, dev
from bot.cli.dev.stacks import StackState, deployed_stacks
from bot.cli.output import columns, console
from bot.domain.dev import Dependency
from bot.services.dev import look_at

_SIGNS = {"healthy": "✓", "unhealthy": "✗", "died": "✗", "stopped": "·"}


@dev.command()
def status(env: str = ENV, shared: bool = SHARED, as_json: bool = AS_JSON) -> None:
    """Show each dependency with its health, ports and log, and what is deployed from here. Exit code 1 if one that was
    started is not healthy."""
    here = desk()
    environment = here.environment(env)
    found = look_at(machine(here), here.own_needs(environment))
    stacks = deployed_stacks(here, environment, shared=shared)
    ok = all(one.health in ("healthy", "stopped") for one in found)
    if as_json:
        told = {
            "ok": ok,
            "environment": environment.name,
            "dependencies": [*map(facts, found)],
            "stacks": [*map(_stack_facts, stacks)],
        }
        print(json.dumps(told))
    else:
        columns(_row(one) for one in found)
        for one in found:
            if one.health in ("unhealthy", "died"):
                console().print(f"\n{one.name}: {one.message}", markup=False)
        if found:
            print()
        columns((one.stack, _deployed(one)) for one in stacks)
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


def _stack_facts(one: StackState) -> dict[str, object]:
    last, release = one.last, one.release
    return {
        "stack": one.stack,
        "resources": one.resources,
        "serial": one.serial,
        "last": last
        and {
            "outcome": last.outcome,
            "commit": last.commit,
            "at": last.finished_at.isoformat() if last.finished_at else None,
            "message": last.message,
        },
        "verification": release.verification if release else None,
        "url": release.url if release else "",
    }


def _deployed(one: StackState) -> str:
    last, release = one.last, one.release
    if last is None and one.serial is None:
        return "nothing applied yet"
    some = "1 resource" if one.resources == 1 else f"{one.resources} resources"
    parts = [some if one.resources else "nothing deployed", f"serial {one.serial}"]
    if last is not None:
        word = "destroyed" if not one.resources and last.outcome == "applied" else last.outcome or "running"
        parts.append(f"{word} at {last.finished_at:%Y-%m-%d %H:%M} UTC" if last.finished_at else word)
    if release is not None and release.verification in ("passed", "failed"):
        parts.append(f"smoke checks {release.verification}")
    return ", ".join([*parts, release.url] if release and release.url else parts)
