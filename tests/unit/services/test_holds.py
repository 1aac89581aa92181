"""Holds after reverts: when one is set, replaced or ended, and who may lift it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.actors import Actor, Role
from bot.domain.audit import Entry
from bot.domain.chat import Notice
from bot.domain.hold import Hold
from bot.domain.target import Target
from bot.services.context import Context
from bot.services.releases import hold_release, lift_hold
from tests.fixtures.refusals import refusal_of
from tests.integration.storage import samples
from tests.unit.services.conftest import NOW

PROD = samples.PROD
BOB = Actor("bob")
GOOD, BAD = "a" * 40, "b" * 40
REVERT = samples.run("r9", kind="apply", reverts="e1", commit=GOOD, base_commit=BAD, actor=BOB)


@pytest.fixture
def world(context: Context) -> Context:
    with context.store.begin() as tables:
        tables.pulls.save(samples.pull(7))
        tables.pulls.save(samples.pull(8, state="closed"))
    return context


def reverted(world: Context, **summary: Any) -> None:
    with world.store.begin() as tables:
        hold_release(world, tables, REVERT, samples.plan(summary=summary))


def pin(world: Context, target: Target = PROD, reverted: str = BAD) -> Hold:
    hold = Hold(target, "e1", GOOD, reverted, "r8", 7, BOB, NOW)
    with world.store.begin() as tables:
        tables.holds.pin(hold)
    return hold


def held(world: Context, target: Target = PROD) -> Hold | None:
    with world.store.read() as tables:
        return tables.holds.get(target)


def audit(world: Context) -> list[Entry]:
    with world.store.read() as tables:
        return list(tables.audit.entries())


def shown(world: Context) -> list[str]:
    with world.store.read() as tables:
        return [one.id for number in (7, 8) for one in tables.surfaces.of_pull("acme/infra", number)]


def test_a_revert_holds_its_environment(world: Context) -> None:
    reverted(world)
    assert held(world) == Hold(PROD, "e1", GOOD, BAD, "r9", 7, BOB, NOW)
    (entry,) = audit(world)
    assert (entry.action, entry.login, entry.target) == ("hold.set", "bob", PROD.key)
    assert (entry.pull, entry.run_id) == (7, "r9")
    assert entry.facts == {"commit": GOOD, "reverted": BAD}


def test_a_further_revert_keeps_out_what_the_first_one_did(world: Context) -> None:
    pin(world, reverted="c" * 40)
    reverted(world)
    now = held(world)
    assert now is not None
    assert (now.held, now.run_id) == ((BAD, "c" * 40), "r9")
    reverted(world)
    assert held(world) == now, "twice the same is held once"
    answer = lift_hold(world, PROD, BOB, "maintain", production=True)
    assert answer == Notice(
        "prod is no longer on hold: `bbbbbbb` and `ccccccc` can be applied again.", tone="good"
    )


def test_the_revert_of_a_revert_leaves_the_hold_for_another_commit(world: Context) -> None:
    """Only `/unhold` lifts one."""
    hold = pin(world)
    reverted(world, forward=True)
    assert held(world) == hold
    assert audit(world) == []


def test_the_revert_of_a_revert_sets_none(world: Context) -> None:
    reverted(world, forward=True)
    assert held(world) is None
    assert audit(world) == []


@pytest.mark.parametrize(
    ("production", "role", "needed"),
    [(True, "write", "maintain"), (False, "triage", "write"), (False, "none", "write")],
)
def test_a_role_that_does_not_suffice(world: Context, production: bool, role: Role, needed: str) -> None:
    hold = pin(world)
    refusal = refusal_of(lift_hold, world, PROD, BOB, role, production=production)
    assert refusal.code == "permission"
    assert refusal.fact == f"Lifting the hold on prod needs the `{needed}` role; you have `{role}`."
    assert refusal.next_step == "Ask a maintainer."
    assert held(world) == hold
    assert (audit(world), shown(world)) == ([], [])


@pytest.mark.parametrize(("production", "role"), [(True, "maintain"), (True, "admin"), (False, "write")])
def test_it_is_lifted_recorded_and_shown(world: Context, production: bool, role: Role) -> None:
    pin(world)
    answer = lift_hold(world, PROD, Actor("ann"), role, production=production)
    assert answer == Notice("prod is no longer on hold: `bbbbbbb` can be applied again.", tone="good")
    assert held(world) is None
    (entry,) = audit(world)
    assert (entry.action, entry.login, entry.pull) == ("hold.lifted", "ann", 7)
    assert entry.facts == {"reverted": BAD}
    assert shown(world) == ["card:acme/infra#7", "status:acme/infra#7"]


def test_nothing_is_held(world: Context) -> None:
    """What another stack or environment is held to stays."""
    other = pin(world, replace(PROD, environment="staging"))
    assert lift_hold(world, PROD, BOB, "maintain", production=True) == Notice("prod is not on hold.")
    assert held(world, other.target) == other
    assert (audit(world), shown(world)) == ([], [])
