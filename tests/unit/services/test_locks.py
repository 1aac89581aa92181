"""Locks of targets: who may take and release them, what is written, and who is told when one is free."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.actors import Actor, Role
from bot.domain.audit import Entry
from bot.domain.chat import Locked, Notice, Result, Unlocked
from bot.domain.lock import Lock
from bot.domain.ports.forge import ForgeError, PullRequest
from bot.domain.ports.store import Tables
from bot.domain.ports.terraform import Backend
from bot.domain.run import Origin, Run
from bot.domain.states import LockInfo
from bot.domain.target import Target
from bot.services.context import Context
from bot.services.locks import (
    lock_target,
    refresh_holders,
    release_of_pull,
    sweep_locks,
    tell_waiters,
    unlock_target,
)
from tests.fixtures.refusals import refusal_of
from tests.integration.storage import samples
from tests.unit.services.conftest import NOW, Clock

STAGING = Target("acme/infra", "infra", "staging")
POLICY = b'[stack.infra]\nroot = "infra"\n[env.staging]\n'
ANN, BOB = Actor("ann"), Actor("bob")
HELD = LockInfo("l1", operation="OperationTypeApply", who="ann@laptop", created="2030-01-02T03:00:00Z")


class World:
    """GitHub with pull requests 7 and 8, git, a backend with one state, and a queue; `told` is what was answered."""

    def __init__(self, context: Context) -> None:
        me: Any = self
        self.pulls = {number: samples.pull(number) for number in (7, 8)}
        self.moved: list[str] = []
        self.policy: bytes | None = POLICY
        self.down: set[int] = set()
        self.asked: list[int] = []
        self.queue: list[Run] = []
        self.told: list[tuple[int, Result]] = []
        self.state: LockInfo | None = None
        self.freed: list[str] = []
        self.taken_again = False
        self.journal = "lost"
        self.context = replace(
            context, forge=me, git=me, terraform=me, backends=me, work=me, hidden=(), tell=self.tell
        )
        with context.store.begin() as tables:
            tables.pulls.save_repository(samples.repository())
            for pull in self.pulls.values():
                tables.pulls.save(pull)

    def tell(self, _tables: Tables, _origin: Origin, _repository: str, pull: int, result: Result) -> None:
        self.told.append((pull, result))

    def pull(self, _repository: str, number: int) -> PullRequest:
        self.asked.append(number)
        if number in self.down:
            raise ForgeError("away", retry_after=1.0)
        return self.pulls[number]

    def head_of(self, _repository: str, _branch: str) -> str:
        return "b" * 40

    def git_credentials(self, _repository: str) -> None:
        return None

    def fetch(self, *_facts: object, **_named: object) -> None:
        """Everything is there."""

    def read(self, _repository: str, _commit: str, _path: str) -> bytes | None:
        return self.policy

    def changed(self, _repository: str, _base: str, _head: str) -> list[str]:
        return self.moved

    def outcome(self, _journal: Path) -> tuple[str, None]:
        return self.journal, None

    def enqueue(self, run: Run, _tables: Tables) -> None:
        self.queue.append(run)

    def backend(self, *_facts: object) -> Backend:
        return Backend("http")

    def location(self, *_facts: object) -> World:
        return self

    def held(self) -> LockInfo | None:
        return self.state

    def unlock(self, lock_id: str) -> bool:
        if self.taken_again:
            return False
        self.freed.append(lock_id)
        self.state = None
        return True

    # rows

    def hold(self, number: int = 7, actor: Actor = ANN, **more: Any) -> Lock:
        made = Lock(STAGING, actor, NOW, pull=number, **more)
        with self.context.store.begin() as tables:
            assert tables.locks.take(made, NOW) == made
        return made

    def wait(self, number: int) -> None:
        with self.context.store.begin() as tables:
            tables.locks.wait(samples.waiter(number, STAGING, NOW))

    def run(self, **more: Any) -> None:
        with self.context.store.begin() as tables:
            tables.runs.add(samples.run("apply", kind="apply", target=STAGING, **more))

    def close(self, number: int) -> None:
        self.pulls[number] = replace(self.pulls[number], state="closed")
        with self.context.store.begin() as tables:
            tables.pulls.save(self.pulls[number])

    @property
    def lock(self) -> Lock | None:
        with self.context.store.read() as tables:
            return tables.locks.get(STAGING)

    @property
    def waiting(self) -> list[int]:
        with self.context.store.read() as tables:
            return [waiter.pull for waiter in tables.locks.waiters(STAGING)]

    @property
    def audit(self) -> list[Entry]:
        with self.context.store.read() as tables:
            return list(tables.audit.entries())

    @property
    def shown(self) -> list[str]:
        """The surfaces of both pull requests that are due."""
        with self.context.store.read() as tables:
            return [one.id for number in (7, 8) for one in tables.surfaces.of_pull("acme/infra", number)]


@pytest.fixture
def world(context: Context) -> World:
    return World(context)


def take(world: World, actor: Actor = ANN, expires: timedelta | None = None) -> Result:
    return lock_target(world.context, STAGING, actor, "migration", "https://example.com/c", expires)


def unlock(world: World, actor: Actor = ANN, role: Role = "write") -> Result:
    return unlock_target(world.context, STAGING, actor, role)


# by hand


def test_a_lock_is_taken_recorded_and_shown(world: World) -> None:
    answer = take(world)
    assert world.lock is not None
    assert answer == Locked(world.lock)
    assert (world.lock.owner, world.lock.reason, world.lock.expires_at) == ("@ann", "migration", None)
    (entry,) = world.audit
    assert (entry.action, entry.login, entry.target) == ("lock.taken", "ann", STAGING.key)
    assert entry.facts == {"reason": "migration"}
    assert {"status:acme/infra#7", "card:acme/infra#7", "status:acme/infra#8"} <= set(world.shown)


@pytest.mark.parametrize("actor", [ANN, BOB])
def test_a_locked_target_is_not_locked_again(world: World, actor: Actor) -> None:
    """Not even by its owner, whose reason and end would be lost."""
    held = world.hold(0, reason="backup")
    refusal = refusal_of(take, world, actor)
    assert refusal.code == "locked"
    assert refusal.fact == "staging is locked by @ann since 2030-01-02 03:04 UTC: backup."
    assert refusal.next_step == "@ann or a maintainer can run `/unlock staging`."
    assert world.lock == held
    assert world.audit == []
    assert world.shown == []


def test_the_lock_of_a_pull_request_is_not_taken_over(world: World) -> None:
    held = world.hold(8, BOB)
    assert refusal_of(take, world).next_step == (
        "It is released when #8 is merged or closed, or when @bob runs `/unlock staging`."
    )
    assert world.lock == held


def test_an_expired_lock_is_replaced(world: World, clock: Clock) -> None:
    take(world, BOB, timedelta(hours=1))
    clock.pass_by(minutes=59)
    assert refusal_of(take, world).code == "locked"
    clock.pass_by(minutes=1)
    assert isinstance(take(world), Locked)
    assert world.lock is not None
    assert world.lock.actor == ANN


# unlocking


def test_there_is_nothing_to_unlock(world: World) -> None:
    assert unlock(world) == Notice("staging is not locked.")
    assert world.audit == []


def test_an_expired_lock_is_none(world: World, clock: Clock) -> None:
    take(world, ANN, timedelta(hours=1))
    clock.pass_by(hours=1)
    assert unlock(world, BOB) == Notice("staging is not locked.")
    assert [entry.action for entry in world.audit] == ["lock.taken"]


def test_ones_own_lock_is_released_recorded_and_shown(world: World) -> None:
    world.hold(0)
    assert unlock(world) == Unlocked(STAGING, "@ann")
    assert world.lock is None
    (entry,) = world.audit
    assert (entry.action, entry.login, entry.pull) == ("lock.released", "ann", 0)
    assert entry.facts == {"held_by": "@ann"}
    assert "status:acme/infra#7" in world.shown


def test_anothers_lock_needs_maintain(world: World) -> None:
    held = world.hold(0)
    refusal = refusal_of(unlock, world, BOB)
    assert refusal.code == "permission"
    assert refusal.fact == (
        "staging is locked by @ann. Unlocking it needs the `maintain` role; you have `write`."
    )
    assert refusal.next_step == "Ask @ann or a maintainer."
    assert world.lock == held
    assert (world.audit, world.shown) == ([], [])
    assert unlock(world, BOB, "maintain") == Unlocked(STAGING, "@bob")
    assert world.lock is None


@pytest.mark.parametrize("who", ["ann", "bob"])
def test_a_pull_requests_lock_is_its_authors_and_the_appliers(world: World, who: str) -> None:
    """Ann is the author of #7, bob applied it."""
    world.hold(7, BOB)
    assert refusal_of(unlock, world, Actor("carol")).code == "permission"
    assert isinstance(unlock(world, Actor(who)), Unlocked)
    assert world.audit[-1].pull == 7
    assert world.audit[-1].facts == {"held_by": "#7"}


def test_never_during_an_apply(world: World) -> None:
    held = world.hold()
    world.run(phase="applying")
    refusal = refusal_of(unlock, world, ANN, "admin")
    assert refusal.code == "busy"
    assert refusal.fact == "An apply of #7 is running on staging under this lock."
    assert refusal.next_step == "Wait for it, or comment `/cancel` on #7; then run `/unlock staging`."
    assert world.lock == held
    assert world.audit == []


# the state's own lock


def test_a_state_lock_is_freed_with_it(world: World) -> None:
    world.hold(0)
    world.state = HELD
    assert isinstance(unlock(world, BOB, "maintain"), Unlocked)
    assert world.freed == ["l1"]
    assert [entry.action for entry in world.audit] == ["lock.released", "state.unlocked"]


def test_a_state_lock_alone_needs_maintain(world: World) -> None:
    world.state = HELD
    refusal = refusal_of(unlock, world)
    assert refusal.code == "permission"
    assert "ann@laptop" in refusal.fact
    assert world.freed == []
    assert isinstance(unlock(world, ANN, "maintain"), Unlocked)
    assert [entry.action for entry in world.audit] == ["state.unlocked"]


def test_neither_is_freed_while_terraform_may_run(world: World) -> None:
    held = world.hold()
    world.state = HELD
    world.run(phase="finished", outcome="interrupted", worker="here", finished_at=NOW)
    world.journal = "running"
    assert refusal_of(unlock, world, ANN, "maintain").code == "busy"
    assert world.lock == held
    assert world.freed == []
    world.journal = "ended"
    assert isinstance(unlock(world, ANN, "maintain"), Unlocked)


# who waits


def test_who_waits_gets_a_plan_and_a_message(world: World) -> None:
    world.hold(0)
    world.wait(8)
    assert unlock(world) == Unlocked(STAGING, "@ann", (8,))
    (run,) = world.queue
    assert (run.kind, run.target, run.pull, run.commit) == ("plan", STAGING, 8, "a" * 40)
    ((pull, said),) = world.told
    assert pull == 8
    assert isinstance(said, Notice)
    assert "`staging` was unlocked by @ann: staging is free." in said.text
    assert said.next_step == "Read it, then run `/apply staging`."
    assert said.tone == "good"
    assert world.waiting == []


def test_a_branch_that_is_behind_is_not_told_to_apply(world: World) -> None:
    world.wait(8)
    world.moved = ["infra/main.tf"]
    tell_waiters(world.context, STAGING, "It ended")
    assert [said.next_step for _pull, said in world.told if isinstance(said, Notice)] == [
        "`main` changed this stack: update the branch before you apply."
    ]


@pytest.mark.parametrize("gone", ["pull request", "policy"])
def test_who_can_not_be_planned_any_more_is_taken_off_the_list(world: World, gone: str) -> None:
    world.wait(8)
    if gone == "policy":
        world.policy = None
    else:
        world.close(8)
    tell_waiters(world.context, STAGING, "It ended")
    assert world.waiting == []
    assert (world.queue, world.told) == ([], [])


def test_who_can_not_be_told_waits_for_the_sweep(world: World) -> None:
    """And does not keep the next one from the news."""
    world.wait(7)
    world.wait(8)
    world.down = {7}
    tell_waiters(world.context, STAGING, "It ended")
    assert world.waiting == [7]
    assert [pull for pull, _said in world.told] == [8]
    world.down = set()
    sweep_locks(world.context)
    assert world.waiting == []
    assert [pull for pull, _said in world.told] == [8, 7]
    sweep_locks(world.context)
    assert len(world.told) == len(world.queue) == 2


# the end of a pull request, and the sweep


def test_a_closed_pull_request_gives_back_its_lock_and_its_place(world: World) -> None:
    world.hold(7)
    world.wait(8)
    world.close(7)
    release_of_pull(world.context, "acme/infra", 7, "merged")
    assert world.lock is None
    (entry,) = world.audit
    assert (entry.action, entry.via, entry.pull) == ("lock.released", "system", 7)
    assert entry.facts == {"held_by": "#7", "why": "pull request closed"}
    ((pull, said),) = world.told
    assert pull == 8
    assert isinstance(said, Notice)
    assert said.text.startswith("#7 was merged: staging is free.")


def test_a_closed_pull_request_leaves_the_locks_of_others(world: World) -> None:
    held = world.hold(8)
    world.wait(7)
    world.close(7)
    release_of_pull(world.context, "acme/infra", 7, "closed")
    assert world.lock == held
    assert world.waiting == []
    assert world.told == []


def test_a_pull_request_that_was_opened_again_keeps_its_lock(world: World) -> None:
    """Its row says so by the time that the news of its end is dealt with."""
    held = world.hold(7)
    world.wait(8)
    release_of_pull(world.context, "acme/infra", 7, "closed")
    assert world.lock == held
    assert world.waiting == [8]
    assert world.told == []


def test_an_apply_keeps_the_lock_of_its_closed_pull_request_until_it_ends(world: World) -> None:
    held = world.hold(7)
    world.wait(8)
    world.run(phase="applying")
    world.close(7)
    release_of_pull(world.context, "acme/infra", 7, "merged")
    sweep_locks(world.context)
    assert world.lock == held
    assert world.told == []
    with world.context.store.begin() as tables:
        tables.runs.move("apply", ("applying",), "finished", outcome="applied")
    sweep_locks(world.context)
    assert world.lock is None
    assert [pull for pull, _said in world.told] == [8]


def test_the_sweep_ends_what_expired_and_nothing_else(world: World, clock: Clock) -> None:
    world.hold(0, expires_at=NOW + timedelta(hours=1))
    sweep_locks(world.context)
    assert world.lock is not None
    clock.pass_by(hours=1)
    sweep_locks(world.context)
    assert world.lock is None
    assert "status:acme/infra#7" in world.shown
    assert [(entry.action, entry.facts["why"]) for entry in world.audit] == [("lock.released", "expired")]
    world.hold(7)
    sweep_locks(world.context)
    assert world.lock is not None


def test_a_lost_close_is_found_by_asking_for_the_holders(world: World) -> None:
    """Locks by hand belong to no pull request, so nothing is asked for them."""
    world.hold(7)
    with world.context.store.begin() as tables:
        tables.locks.take(Lock(replace(STAGING, environment="prod"), BOB, NOW), NOW)
    world.pulls[7] = replace(world.pulls[7], state="merged")
    refresh_holders(world.context)
    assert world.asked == [7]
    sweep_locks(world.context)
    assert world.lock is None
