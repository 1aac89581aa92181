"""One attempt to apply: all targets or none, and what a refusal, a review or a lost lock leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest

from bot.domain.lock import Lock
from bot.domain.ports.store import Tables
from bot.domain.run import Origin
from bot.domain.target import Target
from bot.services.applies.attempt import attempt_apply
from bot.services.applies.options import ApplyOptions, ApplyRequest
from bot.services.context import Context
from tests.unit.services.conftest import NOW
from tests.unit.services.world import ANN, BOB, HEAD, PLAIN, STACK, STAGING, World

WEB = Target("acme/infra", "web", "staging")
GUARDED = f"{STACK}[env.staging]\napprovals = {{ count = 1 }}\n"


@pytest.fixture
def world(context: Context) -> World:
    return World(context)


@pytest.fixture
def guarded(context: Context) -> World:
    return World(context, GUARDED)


@dataclass
class Raced:
    """A store in which bob takes each lock right before anybody else does."""

    store: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    @contextmanager
    def begin(self) -> Iterator[Tables]:
        with self.store.begin() as tables:
            locks, take = tables.locks, tables.locks.take

            def second(lock: Lock, now: datetime) -> Lock:
                take(Lock(lock.target, BOB, NOW, pull=8), now)
                return take(lock, now)  # type: ignore[no-any-return]

            locks.take = second
            yield tables


def raced(world: World) -> Context:
    store: Any = Raced(world.context.store)
    return replace(world.context, store=store)


def both(world: World) -> ApplyRequest:
    return ApplyRequest(world.pull_context(), (STAGING, WEB), ANN, Origin("d1"))


# queued, or nothing


def test_what_the_gates_let_pass_is_queued_under_its_lock(world: World) -> None:
    world.keep_plan()
    outcome = attempt_apply(world.context, world.request())
    ((run, behind),) = outcome.queued
    assert (outcome.opened, outcome.refusal, behind) == ((), None, None)
    assert world.enqueued == [run]
    held = world.lock_of()
    assert held is not None
    assert held.pull == 7


def test_a_refusal_of_one_target_claims_none(context: Context) -> None:
    world = World(context, f'{PLAIN}[stack.web]\nroot = "web"\n')
    world.keep_plan()
    outcome = attempt_apply(world.context, both(world))
    assert outcome.refusal is not None
    assert (outcome.refusal.code, outcome.refusal.next_step) == ("no-plan", "`/plan staging web`")
    assert outcome.queued == ()
    assert world.enqueued == []
    assert world.lock_of() is None
    (entry,) = world.audit
    assert (entry.action, entry.target, entry.facts["code"]) == ("apply.refused", WEB.key, "no-plan")


def test_a_lock_taken_while_the_world_was_read_refuses(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.keep_plan()

    def changed(*_facts: object) -> list[str]:
        if world.lock_of() is None:
            world.take_lock()
        return []

    monkeypatch.setattr(world, "changed", changed)
    outcome = attempt_apply(world.context, world.request())
    assert outcome.refusal is not None
    assert outcome.refusal.code == "locked"
    assert world.waiters() == [7]
    assert world.enqueued == []


def test_a_lock_lost_after_the_gates_refuses_and_keeps_nothing_of_the_request(world: World) -> None:
    world.keep_plan()
    outcome = attempt_apply(raced(world), world.request())
    assert outcome.refusal is not None
    assert outcome.refusal.code == "locked"
    assert "#8" in outcome.refusal.fact
    assert world.enqueued == []
    assert world.actions == ["apply.refused"]


# approval


def test_what_needs_approval_asks_for_it_and_claims_nothing(guarded: World) -> None:
    guarded.keep_plan()
    (opened,) = attempt_apply(guarded.context, guarded.request()).opened
    assert (opened.run_id, opened.status, opened.commit) == ("p1", "open", HEAD)
    assert guarded.lock_of() is None
    assert guarded.enqueued == []
    assert guarded.actions == ["approval.asked"]


def test_asking_twice_is_one_request_for_approval(guarded: World) -> None:
    guarded.keep_plan()
    (first,) = attempt_apply(guarded.context, guarded.request()).opened
    (again,) = attempt_apply(guarded.context, guarded.request(delivery="d2", when_approved=True)).opened
    assert again.id == first.id
    assert guarded.approval(first.id).when_approved
    assert guarded.actions == ["approval.asked"]


def test_reviews_given_after_the_plan_apply_at_once(guarded: World) -> None:
    guarded.keep_plan()
    guarded.review("bob", minutes=1)
    ((run, _),) = attempt_apply(guarded.context, guarded.request()).queued
    assert guarded.approval(run.approval).run_id == "p1"
    assert guarded.enqueued == [run]


def test_a_review_that_rejects_is_the_answer_and_nothing_new_is_asked(guarded: World) -> None:
    guarded.keep_plan()
    guarded.keep_approval()
    guarded.review("bob", "changes_requested")
    refusal = attempt_apply(guarded.context, guarded.request()).refusal
    assert refusal is not None
    assert (refusal.code, refusal.next_step) == ("approval-over", "`/apply staging` requests a new one.")
    assert "@bob rejected it" in refusal.fact
    assert guarded.approval().status == "rejected"
    assert "approval.asked" not in guarded.actions


# a completed approval


def test_a_completed_approval_is_used_once(guarded: World) -> None:
    guarded.keep_plan()
    approval = guarded.keep_approval(count=0, when_approved=True)
    request = guarded.request(approval=approval)
    assert len(attempt_apply(guarded.context, request).queued) == 1
    assert attempt_apply(guarded.context, request).queued == ()
    assert len(guarded.enqueued) == 1


def test_a_completed_approval_that_ended_meanwhile_does_nothing(world: World) -> None:
    """Even where the policy asks for none by now."""
    world.keep_plan()
    approval = world.keep_approval(count=0, when_approved=True)
    with world.context.store.begin() as tables:
        tables.approvals.end("a1", "rejected", "@bob rejected it", NOW)
    outcome = attempt_apply(world.context, world.request(approval=approval))
    assert (outcome.queued, outcome.refusal) == ((), None)
    assert world.audit == []


def test_a_completed_approval_that_loses_its_lock_waits_silently(guarded: World) -> None:
    guarded.keep_plan()
    approval = guarded.keep_approval(count=0, when_approved=True)
    outcome = attempt_apply(raced(guarded), guarded.request(approval=approval))
    assert (outcome.queued, outcome.refusal) == ((), None)
    assert guarded.approval().status == "open"
    assert guarded.audit == []


def test_a_completed_approval_of_a_used_plan_ends_with_the_reason(guarded: World) -> None:
    guarded.keep_plan(status="applied")
    approval = guarded.keep_approval(count=0, when_approved=True)
    attempt_apply(guarded.context, guarded.request(approval=approval))
    ended = guarded.approval()
    assert (ended.status, "already applied" in ended.why) == ("dead", True)
    ((pull, notice),) = guarded.told
    assert (pull, "called off" in notice.text) == (7, True)


# reverts and forced applies


def test_what_a_new_plan_of_the_revert_answers_is_not_recorded(world: World) -> None:
    world.keep_plan(reverts="e1", engine="terraform 1.5.0")
    outcome = attempt_apply(world.context, world.request(revert=True))
    assert outcome.refusal is not None
    assert outcome.refusal.code == "engine-changed"
    assert world.audit == []
    world.take_lock()
    assert attempt_apply(world.context, world.request(revert=True)).refusal is not None
    assert world.actions == ["apply.refused"]


def test_a_forced_apply_asks_nobody(guarded: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even who would have to be asked: GitHub may be what is down."""

    def down(*_facts: object) -> Any:
        raise AssertionError("asked")

    for name in ("reviews", "authors", "members", "role"):
        monkeypatch.setattr(guarded, name, down)
    guarded.keep_plan()
    options = ApplyOptions(forced="the site is down")
    outcome = attempt_apply(guarded.context, replace(guarded.request(), options=options))
    assert [run.forced for run, _ in outcome.queued] == ["the site is down"]
