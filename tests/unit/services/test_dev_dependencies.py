"""Which dependencies are started, stopped or left alone, in which order, with a machine that only pretends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.dev import Running, definition_digest
from bot.domain.policy import HealthCheck, Need
from bot.domain.ports.dependencies import Ended
from bot.domain.ports.smoke import Smoke, SmokeResult
from bot.errors import UserError
from bot.services.dev import Machine, bring_up, look_at, take_down

DB = Need(name="db", command="db", ports=("5432:5432",))
WEB = Need(name="web", command="web", healthy=HealthCheck(http="http://127.0.0.1:8080/"))


class Pretended:
    """Implements Launcher and Smoker. done: what was done, in its order. sick, dead, taken: names, names, ports."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.records: list[Running] = []
        self.sick: set[str] = set()
        self.dead: set[str] = set()
        self.taken: set[int] = set()

    def running(self) -> list[Running]:
        return list(self.records)

    def start(self, need: Need) -> Running:
        self.done.append(f"start {need.name}")
        self.dead.discard(need.name)
        self.records.append(Running(need.name, definition_digest(need), f"{need.name}.log", pid=7))
        return self.records[-1]

    def alive(self, running: Running) -> bool:
        return running.name not in self.dead

    def stop(self, running: Running) -> Ended:
        self.done.append(f"stop {running.name}")
        self.records.remove(running)
        return "stopped"

    def environment(self, need: Need) -> Mapping[str, str]:
        return {"NAME": need.name}

    def last_lines(self, running: Running) -> str:
        return "out of memory"

    def port_taken(self, port: int) -> bool:
        return port in self.taken

    def check(self, smoke: Smoke, surroundings: object, **_more: object) -> SmokeResult:
        name = surroundings.env["NAME"]  # type: ignore[attr-defined]
        self.done.append(f"check {name} {smoke.kind} {smoke.subject}")
        return SmokeResult(name, name not in self.sick, "seen", 1.0)


@pytest.fixture
def machine() -> Pretended:
    return Pretended()


def up(machine: Pretended, *needs: Need) -> list[str]:
    machine.done.clear()
    done = bring_up(Machine(machine, machine, Path("/work")), needs, lambda _name, _step: None)
    return [f"{one.dependency.name} {one.did}" for one in done]


def test_they_start_in_their_order_and_are_left_alone_then(machine: Pretended) -> None:
    assert up(machine, DB, WEB) == ["db started", "web started"]
    assert machine.done == [
        *("start db", "check db tcp 127.0.0.1:5432"),
        *("start web", "check web http http://127.0.0.1:8080/"),
    ]
    assert up(machine, DB, WEB) == ["db running", "web running"]
    assert [one for one in machine.done if not one.startswith("check")] == []


def test_what_died_is_not_healthy_or_was_changed_is_started_anew(machine: Pretended) -> None:
    up(machine, DB, WEB)
    machine.dead.add("db")
    assert up(machine, DB, WEB) == ["db restarted", "web running"]
    changed = WEB.model_copy(update={"command": "web --quick"})
    assert up(machine, DB, changed) == ["db running", "web restarted"]
    machine.sick.add("db")
    assert up(machine, DB, changed) == ["db failed"], "it did not become healthy, and web may need it"
    assert machine.done[:3] == ["check db tcp 127.0.0.1:5432", "stop db", "start db"]


def test_what_is_no_longer_declared_is_stopped_first(machine: Pretended) -> None:
    up(machine, DB, WEB)
    assert up(machine, WEB) == ["web running"]
    assert machine.done[0] == "stop db"


def test_a_taken_port_is_told_before_anything_starts(machine: Pretended) -> None:
    machine.taken.add(5432)
    assert up(machine, DB, WEB) == ["db failed"]
    assert machine.done == []


def test_what_cannot_start_is_told_with_the_way_out(
    machine: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_need: Need) -> Running:
        raise UserError("It is not there.", next_step="Install it.")

    monkeypatch.setattr(machine, "start", refuse)
    (one,) = bring_up(Machine(machine, machine, Path("/work")), [DB], lambda _name, _step: None)
    assert one.dependency.message == "It is not there. Install it."


def test_they_are_stopped_in_the_reverse_order(machine: Pretended) -> None:
    up(machine, DB, WEB)
    machine.done.clear()
    ended = take_down(machine, lambda _name, _step: None)
    assert machine.done == ["stop web", "stop db"]
    assert [(running.name, how) for running, how in ended] == [("web", "stopped"), ("db", "stopped")]


def test_how_they_are(machine: Pretended) -> None:
    up(machine, DB, WEB)
    machine.records.append(replace(machine.records[0], name="old"))
    machine.dead.add("web")
    found = look_at(Machine(machine, machine, Path("/work")), [DB, WEB, Need(name="s3", command="s3")])
    assert [(one.name, one.health, one.declared) for one in found] == [
        ("db", "healthy", True),
        ("web", "died", True),
        ("s3", "stopped", True),
        ("old", "healthy", False),
    ]
    assert found[1].message == "It ended by itself: out of memory\nIts log: web.log"


def test_a_health_check_that_was_not_started_with_is_not_run(machine: Pretended) -> None:
    """It may be a command of a branch that nobody has accepted."""
    up(machine, DB)
    machine.done.clear()
    other = DB.model_copy(update={"healthy": HealthCheck(command="curl https://example.com")})
    (found,) = look_at(Machine(machine, machine, Path("/work")), [other])
    assert (found.health, machine.done) == ("unhealthy", [])
    assert "another definition" in found.message
