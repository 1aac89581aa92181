"""Bring dependencies up in their order, take them down in the reverse order, and look at them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bot.domain.dev import Dependency, Health, Running, definition_digest
from bot.domain.policy import Environment, HealthCheck, Need
from bot.domain.ports.dependencies import Ended, Launcher
from bot.domain.ports.smoke import Smoke, Smoker, SmokeResult, Surroundings
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.releases import smoke_checks

Step = Literal["starting", "waiting", "stopping"]
Report = Callable[[str, Step], None]
"""Told what is done now, for whom."""

SETTLED = 0.3
"""Seconds after which a dependency without a health check counts as up if it still runs."""


@dataclass(frozen=True)
class BroughtUp:
    """What came of one dependency. did: `running` if it was already. message: why it is not up, "" if it is. seconds: its
    own time, to start and to become healthy."""

    dependency: Dependency
    did: Literal["running", "started", "restarted", "failed"]
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return self.did != "failed"


@dataclass(frozen=True)
class Machine:
    """Where dependencies run. top: the working copy's top directory, in which commands run."""

    launcher: Launcher
    smoker: Smoker
    top: Path


def bring_up(machine: Machine, needs: Sequence[Need], report: Report) -> list[BroughtUp]:
    """Start what does not run, restart what died or is not healthy or has another definition now, and stop what is no
    longer declared. It ends with the first that does not come up: later ones may need it."""
    declared = {need.name: definition_digest(need) for need in needs}
    known = {running.name: running for running in machine.launcher.running()}
    for name, running in reversed(known.items()):
        if name not in declared:
            report(name, "stopping")
            machine.launcher.stop(running)
    done: list[BroughtUp] = []
    for need in needs:
        done.append(_bring_up(machine, need, known.get(need.name), report))
        if not done[-1].ok:
            break
    return done


def _bring_up(machine: Machine, need: Need, running: Running | None, report: Report) -> BroughtUp:
    if running is not None and running.digest == definition_digest(need):
        found = _look(machine, need, running)
        if found.health == "healthy":
            return BroughtUp(found, "running")
    began = time.monotonic()
    if running is not None:
        report(need.name, "stopping")
        machine.launcher.stop(running)
    report(need.name, "starting")
    try:
        _refuse_taken_ports(machine.launcher, need)
        started = machine.launcher.start(need)
    except UserError as error:
        message = f"{error.what} {error.next_step}".strip()
        return BroughtUp(Dependency(need.name, "stopped", need.host_ports, message=message), "failed")
    report(need.name, "waiting")
    found = _wait(machine, need, started)
    seconds = round(time.monotonic() - began, 1)
    if found.health != "healthy":
        return BroughtUp(found, "failed", seconds)
    return BroughtUp(found, "restarted" if running else "started", seconds)


def take_down(launcher: Launcher, report: Report) -> list[tuple[Running, Ended]]:
    """Stop everything that was started, the last first."""
    ended = []
    for running in reversed(launcher.running()):
        report(running.name, "stopping")
        ended.append((running, launcher.stop(running)))
    return ended


def look_at(machine: Machine, needs: Sequence[Need]) -> list[Dependency]:
    """Return how each dependency is now, and what still runs of those that are no longer declared."""
    known = {running.name: running for running in machine.launcher.running()}
    found = [
        _look(machine, need, known[need.name])
        if need.name in known
        else Dependency(need.name, "stopped", need.host_ports)
        for need in needs
    ]
    names = {need.name for need in needs}
    for name, running in known.items():
        if name not in names:
            health: Health = "healthy" if machine.launcher.alive(running) else "died"
            found.append(Dependency(name, health, running=running, declared=False))
    return found


def _look(machine: Machine, need: Need, running: Running) -> Dependency:
    """Look once. A definition that was not the one that was started, and so not accepted, is not used: its health check
    may be a command."""
    if not machine.launcher.alive(running):
        return _died(machine, need, running)
    if running.digest != definition_digest(need):
        what = "it was started with another definition; `towpath dev up` starts it anew"
        return Dependency(need.name, "unhealthy", need.host_ports, running, what)
    result = _check(machine, need, running, once=True)
    health: Health = "healthy" if result.ok else "unhealthy"
    return Dependency(need.name, health, need.host_ports, running, result.message)


def _wait(machine: Machine, need: Need, running: Running) -> Dependency:
    """Wait until it is healthy, it dies, or the check's time is over."""
    result = _check(machine, need, running, once=False)
    if not machine.launcher.alive(running):
        return _died(machine, need, running)
    if result.ok:
        return Dependency(need.name, "healthy", need.host_ports, running, result.message)
    message = f"{result.message} after {result.seconds:g} s. Its log: {running.log}"
    return Dependency(need.name, "unhealthy", need.host_ports, running, message)


def _died(machine: Machine, need: Need, running: Running) -> Dependency:
    lines = machine.launcher.last_lines(running)
    message = f"It ended by itself{f': {lines}' if lines else ''}\nIts log: {running.log}"
    return Dependency(need.name, "died", need.host_ports, running, message)


def _check(machine: Machine, need: Need, running: Running, *, once: bool) -> SmokeResult:
    check = _health_check(need)
    if check is None:
        if not once:
            time.sleep(SETTLED)
        return SmokeResult(need.name, machine.launcher.alive(running), running.described, 0.0)
    if isinstance(check, SmokeResult):
        return check
    if once:
        check = replace(check, within=0.0)
    surroundings = Surroundings(machine.top, machine.launcher.environment(need))
    return machine.smoker.check(check, surroundings, cancelled=lambda: not machine.launcher.alive(running))


def _health_check(need: Need) -> Smoke | SmokeResult | None:
    """Return the check that the policy has, else that the first port accepts connections; None without a port."""
    given = need.healthy
    if given is None:
        if not need.host_ports:
            return None
        given = HealthCheck(tcp=f"127.0.0.1:{need.host_ports[0]}")
    return smoke_checks(Environment(need.name, smoke=(given,)), Target("", "", need.name), 0, {})[0]


def _refuse_taken_ports(launcher: Launcher, need: Need) -> None:
    for port in need.host_ports:
        if launcher.port_taken(port):
            raise UserError(
                f"Port {port} of `{need.name}` is used by another process.",
                next_step=f"Stop that process (`lsof -i :{port}` names it), or change `ports` in "
                "`envs/environments.toml`.",
            )
