"""`towpath dev up`: start the dependencies."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bot.cli.dev.dependencies import dependencies, machine
from bot.cli.dev.desk import desk
from bot.cli.dev.group import AS_JSON, ENV, TRUST, dev
from bot.cli.output import columns, console
from bot.domain.policy import Need
from bot.services.dev import BroughtUp, Report, bring_up

_STEPS = {"starting": "starting", "waiting": "waiting until it is healthy", "stopping": "stopping"}


@dev.command()
def up(env: str = ENV, trust: bool = TRUST, as_json: bool = AS_JSON) -> None:
    """Start what the environment needs, in the policy's order, and wait until each is healthy.

    What runs already and is healthy is left alone; what died or was changed in the policy is started anew. Exit code 1 if
    something does not come up."""
    here = desk()
    environment = here.environment(env)
    needs = dependencies(here, environment, trust=trust)
    with here.alone(), reporting(needs, shown=not as_json) as report:
        done = bring_up(machine(here), needs, report)
    ok = all(one.ok for one in done)
    if as_json:
        print(json.dumps({"ok": ok, "environment": environment.name, "dependencies": [*map(facts, done)]}))
    elif not needs:
        print(f"{environment.name} needs nothing: its policy has no `needs`.")
    else:
        columns(_row(one) for one in done)
        if skipped := len(needs) - len(done):
            print(f"Not started: {', '.join(need.name for need in needs[-skipped:])}.")
        for one in done:
            if not one.ok:
                print(f"\n{one.dependency.name}: {one.dependency.message}", file=sys.stderr)
    sys.exit(0 if ok else 1)


def facts(one: BroughtUp) -> dict[str, object]:
    """Return what came of a dependency, for JSON."""
    found = one.dependency
    return {
        "name": found.name,
        "did": one.did,
        "health": found.health,
        "seconds": one.seconds,
        "ports": list(found.ports),
        "pid": found.running.pid if found.running else 0,
        "container": found.running.container if found.running else "",
        "log": found.running.log if found.running else "",
        "message": found.message,
    }


def _row(one: BroughtUp) -> tuple[str, ...]:
    found = one.dependency
    did = "already running" if one.did == "running" else f"{one.did} in {one.seconds:g} s"
    ports = " ".join(f"127.0.0.1:{port}" for port in found.ports)
    return "✓" if one.ok else "✗", found.name, did if one.ok else f"failed ({found.health})", ports


@contextmanager
def reporting(needs: Sequence[Need], *, shown: bool) -> Iterator[Report]:
    """Yield a report that shows in a terminal, as a moving line, what is done and how far it is."""
    terminal = console(sys.stderr)
    names = [need.name for need in needs]
    if not shown or not terminal.is_terminal:
        yield lambda _name, _step: None
        return
    with terminal.status("Looking at what runs …") as status:

        def report(name: str, step: str) -> None:
            place = f" ({names.index(name) + 1} of {len(names)})" if name in names else ""
            status.update(f"{name}{place}: {_STEPS[step]} …")

        yield report
