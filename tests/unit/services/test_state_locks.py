"""State locks whose holder is gone: which are found, who may release them, and when Terraform may still be at work."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.actors import Actor, Role
from bot.domain.audit import Entry
from bot.domain.policy import Policy
from bot.domain.ports.state import PERSON
from bot.domain.ports.terraform import Backend
from bot.domain.refusal import Refused
from bot.domain.run import Run
from bot.domain.states import LockInfo
from bot.domain.target import Target
from bot.services.context import Context
from bot.services.directories import journal_of
from bot.services.states import find_state_lock, refuse_running, release_state_lock
from bot.services.states.state_locks import ELSEWHERE, StuckLock
from tests.fixtures.refusals import refusal_of
from tests.integration.storage import samples
from tests.unit.services.conftest import NOW, Clock

STAGING = Target("acme/infra", "infra", "staging")
POLICY = b'[stack.infra]\nroot = "infra"\n[env.staging]\n'
ANN = Actor("ann")
HELD = LockInfo("l1", operation="OperationTypeApply", who="ann@laptop", created="2030-01-02T03:00:00Z")
BUSY = Refused(
    "busy",
    "Terraform may still be running on staging: the apply of #7 is finishing operations in progress.",
    "Wait some minutes, then run `/unlock staging` again.",
)


class World:
    """A default branch with a policy, a backend of some kind whose locks are the rows, and Terraforms by journal."""

    def __init__(self, context: Context) -> None:
        me: Any = self
        self.policy: bytes | None = POLICY
        self.kind = "http"
        self.running: set[Path] = set()
        self.context = replace(context, forge=me, git=me, terraform=me, backends=me)
        with context.store.begin() as tables:
            tables.pulls.save_repository(samples.repository())
            tables.pulls.save(samples.pull(7))

    def head_of(self, _repository: str, _branch: str) -> str:
        return "b" * 40

    def git_credentials(self, _repository: str) -> None:
        return None

    def fetch(self, *_facts: object, **_named: object) -> None:
        """Everything is there."""

    def read(self, _repository: str, _commit: str, _path: str) -> bytes | None:
        return self.policy

    def backend(self, _target: Target, _policy: Policy, _declared: str, _credential: object) -> Backend:
        return Backend(self.kind)

    def location(self, _target: Target, _backend: Backend) -> World:
        return self

    def held(self) -> LockInfo | None:
        with self.context.store.read() as tables:
            return tables.states.locked(STAGING.key)

    def unlock(self, lock_id: str) -> bool:
        with self.context.store.begin() as tables:
            return tables.states.unlock(STAGING.key, lock_id)

    def outcome(self, journal: Path) -> tuple[str, None]:
        return "running" if journal in self.running else "lost", None

    def lock(self, holder: str, lock: LockInfo = HELD) -> None:
        with self.context.store.begin() as tables:
            assert tables.states.lock(STAGING.key, lock, holder) is None

    def stuck(self, login: str = "") -> StuckLock:
        where: Any = self
        return StuckLock(STAGING, HELD, where, login)

    def applied(self, **more: Any) -> Run:
        """The last apply, which has ended."""
        facts: dict[str, Any] = {
            "kind": "apply",
            "target": STAGING,
            "phase": "finished",
            "outcome": "interrupted",
            "worker": "here",
            "finished_at": NOW,
        }
        run = samples.run("apply", **facts | more)
        with self.context.store.begin() as tables:
            tables.runs.add(run)
        return run

    def refused(self, login: str = "") -> Refused | None:
        with self.context.store.begin() as tables:
            return refuse_running(self.context, tables, self.stuck(login))

    @property
    def audit(self) -> list[Entry]:
        with self.context.store.read() as tables:
            return list(tables.audit.entries())

    @property
    def shown(self) -> list[str]:
        with self.context.store.read() as tables:
            return [one.id for one in tables.surfaces.of_pull("acme/infra", 7)]


@pytest.fixture
def world(context: Context) -> World:
    return World(context)


# found


@pytest.mark.parametrize(
    ("holder", "kind", "login"),
    [(f"{PERSON}ann", "http", "ann"), ("run-1", "http", ""), (f"{PERSON}ann", "s3", "")],
)
def test_a_lock_is_found_with_its_person_if_that_is_known(
    world: World, holder: str, kind: str, login: str
) -> None:
    """Only the built-in backend knows people; another's lock is nobody's."""
    world.kind = kind
    world.lock(holder)
    found = find_state_lock(world.context, STAGING)
    assert found is not None
    assert (found.target, found.lock.id, found.login) == (STAGING, "l1", login)


def test_a_state_that_is_not_locked(world: World) -> None:
    assert find_state_lock(world.context, STAGING) is None


@pytest.mark.parametrize("policy", [None, POLICY.replace(b"staging", b"prod")])
def test_an_environment_that_the_policy_does_not_have(world: World, policy: bytes | None) -> None:
    world.lock("run-1")
    world.policy = policy
    assert find_state_lock(world.context, STAGING) is None


# who may


@pytest.mark.parametrize(
    ("login", "role"), [("ann", "write"), ("", "maintain"), ("bob", "maintain"), ("bob", "admin")]
)
def test_ones_own_lock_or_any_with_maintain(world: World, login: str, role: Role) -> None:
    assert world.stuck(login).forbids(ANN, role) is None


@pytest.mark.parametrize(("login", "actor"), [("bob", ANN), ("", ANN), ("", Actor(slack="T1/U1"))])
def test_the_lock_of_another_or_of_nobody_known(world: World, login: str, actor: Actor) -> None:
    assert world.stuck(login).forbids(actor, "write") == Refused(
        "permission",
        "The state of staging is locked by ann@laptop (apply) since 2030-01-02 03:00 UTC, lock id l1. "
        "Releasing it needs the `maintain` role; you have `write`.",
        "Ask a maintainer.",
    )


# still at work


def test_there_was_no_apply(world: World) -> None:
    assert world.refused() is None


@pytest.mark.parametrize("outcome", ["interrupted", "timed_out", "failed"])
def test_terraform_of_the_last_apply_still_runs(world: World, outcome: str, clock: Clock) -> None:
    """However its run ended and however long ago; a lock of a laptop has nothing to do with it."""
    world.running = {journal_of(world.context, world.applied(outcome=outcome))}
    clock.pass_by(days=1)
    assert world.refused() == BUSY
    assert world.refused("ann") is None


def test_only_the_last_apply_counts(world: World) -> None:
    first = world.applied()
    world.running = {journal_of(world.context, first)}
    with world.context.store.begin() as tables:
        later = NOW + timedelta(minutes=1)
        tables.runs.add(replace(first, id="second", created_at=later, outcome="applied"))
    assert world.refused() is None


def test_a_plan_since_then_does_not_count(world: World) -> None:
    first = world.applied()
    world.running = {journal_of(world.context, first)}
    with world.context.store.begin() as tables:
        tables.runs.add(replace(first, id="plan", kind="plan", created_at=NOW + timedelta(minutes=1)))
    assert world.refused() == BUSY


def test_a_worker_on_another_machine_gets_some_time(world: World, clock: Clock) -> None:
    """Nobody here can see whether its Terraform runs."""
    world.applied(worker="elsewhere")
    assert world.refused() == BUSY
    clock.pass_by(seconds=ELSEWHERE.total_seconds() - 1)
    assert world.refused() == BUSY
    clock.pass_by(seconds=1)
    assert world.refused() is None


@pytest.mark.parametrize(
    "more", [{"worker": "here"}, {"worker": "elsewhere", "outcome": "failed"}, {"worker": "elsewhere"}]
)
def test_one_that_is_known_to_have_ended_gets_none(world: World, more: dict[str, str]) -> None:
    """It ran here, or its end was seen, or its journal is on a disk that is shared."""
    run = world.applied(**more)
    if more == {"worker": "elsewhere"}:
        journal_of(world.context, run).mkdir(parents=True)
    assert world.refused() is None


# released


def test_it_is_released_recorded_and_shown(world: World) -> None:
    world.lock(f"{PERSON}ann")
    release_state_lock(world.context, world.stuck("ann"), Actor("bob"))
    assert world.held() is None
    (entry,) = world.audit
    assert (entry.action, entry.login, entry.target) == ("state.unlocked", "bob", STAGING.key)
    assert entry.facts == {
        "lock": "l1",
        "who": "ann@laptop",
        "operation": "OperationTypeApply",
        "created": "2030-01-02T03:00:00Z",
    }
    assert world.shown == ["card:acme/infra#7", "status:acme/infra#7"]


def test_the_lock_of_who_came_since_stays(world: World) -> None:
    world.lock(f"{PERSON}carol", replace(HELD, id="l2"))
    refusal = refusal_of(release_state_lock, world.context, world.stuck("ann"), ANN)
    assert refusal == Refused(
        "changed",
        "The state of staging was locked again by someone else.",
        "Wait until it is released, or run `/unlock staging` again if its holder has died too.",
    )
    held = world.held()
    assert held is not None
    assert held.id == "l2"
    assert (world.audit, world.shown) == ([], [])


def test_one_that_was_released_meanwhile_is_as_good(world: World) -> None:
    release_state_lock(world.context, world.stuck("ann"), ANN)
    assert [entry.action for entry in world.audit] == ["state.unlocked"]
