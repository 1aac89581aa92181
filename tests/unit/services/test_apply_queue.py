"""An apply is queued with its target's lock and its record, or refused with nothing but the record."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.actors import Actor
from bot.domain.approvals import Approval, ApprovalState
from bot.domain.audit import Entry
from bot.domain.gates import ApplyFacts
from bot.domain.lock import Lock
from bot.domain.policy.loader import parse_policy
from bot.domain.policy.model import Environment
from bot.domain.refusal import Refused
from bot.domain.run import Origin, Run
from bot.domain.target import Target
from bot.services.applies import ApplyOptions, ApplyRequest, apply_run_id
from bot.services.applies.queue import LockLost, queue_apply, record_refusal
from bot.services.context import Context
from bot.services.targets import PullContext
from tests.integration.storage import samples
from tests.unit.services.conftest import NOW, Clock

STAGING = Target("acme/infra", "infra", "staging")
WEB = Target("acme/infra", "web", "staging")
ANN, HEAD = Actor("ann"), "a" * 40
POLICY = parse_policy('[env.staging]\n[stack.infra]\nroot = "infra"\n', "policy")
PLAN = samples.plan(target=STAGING, commit=HEAD)
LOCKED = Refused("locked", "staging is locked by #8.", "Wait.")


class Work:
    """Keeps what is enqueued."""

    def __init__(self) -> None:
        self.runs: list[Run] = []

    def enqueue(self, run: Run, _tables: object) -> None:
        self.runs.append(run)


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def queueing(context: Context, work: Work) -> Context:
    port: Any = work
    return replace(context, work=port)


def request(delivery: str = "d1", **options: Any) -> ApplyRequest:
    pull = samples.pull(head_sha=HEAD)
    return ApplyRequest(
        PullContext(pull, POLICY, "b" * 40), (STAGING,), ANN, Origin(delivery), ApplyOptions(**options)
    )


def facts(**more: Any) -> ApplyFacts:
    given: dict[str, Any] = {
        "pull": samples.pull(head_sha=HEAD),
        "target": STAGING,
        "environment": Environment("staging"),
        "plan": PLAN,
        "lock": None,
        "now": NOW,
        "engine": "terraform 1.11.4",
        "policy": "p",
    }
    return ApplyFacts(**given | more)


def queue(context: Context, about: ApplyFacts, wanted: ApplyRequest | None = None) -> tuple[Run, Run | None]:
    with context.store.begin() as tables:
        return queue_apply(context, tables, wanted or request(), about)


def refuse(context: Context, refusal: Refused) -> Refused:
    with context.store.begin() as tables:
        return record_refusal(context, tables, request(), STAGING, refusal)


def lock_for(context: Context, pull: int, **more: Any) -> Lock:
    with context.store.begin() as tables:
        return tables.locks.take(Lock(STAGING, Actor("bob"), NOW, pull=pull, **more), NOW)


def lock_of(context: Context) -> Lock | None:
    with context.store.read() as tables:
        return tables.locks.get(STAGING)


def run_of(context: Context, run_id: str) -> Run | None:
    with context.store.read() as tables:
        return tables.runs.get(run_id)


def entries(context: Context) -> list[Entry]:
    with context.store.read() as tables:
        return list(tables.audit.entries())


def due(context: Context) -> set[str]:
    """The surfaces of the pull request that are due."""
    with context.store.read() as tables:
        ids = ("status:acme/infra#7", f"check:{STAGING.key}#7")
        return {name for name in ids if (one := tables.surfaces.get(name)) and one.due_at}


def approval_state() -> ApprovalState:
    return ApprovalState(
        Approval("a1", STAGING, 7, "r1", PLAN.digest, HEAD, ANN, Origin("d1"), NOW, NOW + timedelta(hours=1))
    )


# the run's id


def test_asking_twice_is_the_same_run() -> None:
    assert apply_run_id(Origin("d1", 1), STAGING) == apply_run_id(Origin("d1", 1, channel="C1"), STAGING)
    others = {
        apply_run_id(Origin("d1"), STAGING),
        apply_run_id(Origin("d2"), STAGING),
        apply_run_id(Origin("d1", 1), STAGING),
        apply_run_id(Origin("d1"), WEB),
    }
    assert len(others) == 4


# queueing


def test_it_is_queued_with_its_plan_lock_record_and_surfaces(queueing: Context, work: Work) -> None:
    run, before = queue(queueing, facts())
    assert before is None
    assert run_of(queueing, apply_run_id(Origin("d1"), STAGING)) == run
    assert (run.kind, run.phase, run.actor, run.pull) == ("apply", "queued", ANN, 7)
    assert (run.plan_id, run.commit, run.base_commit) == ("p1", HEAD, "b1")
    assert (run.approval, run.forced, run.reverts) == ("", "", "")
    assert work.runs == [run]
    assert lock_of(queueing) == Lock(
        STAGING, ANN, NOW, pull=7, reason="apply", url="https://example.com/pull/7"
    )
    (entry,) = entries(queueing)
    assert (entry.action, entry.login, entry.target, entry.run_id) == (
        "apply.asked",
        "ann",
        STAGING.key,
        run.id,
    )
    assert entry.facts == {"commit": HEAD, "plan": PLAN.digest, "forced": ""}
    assert due(queueing) == {"status:acme/infra#7", f"check:{STAGING.key}#7"}


def test_it_uses_its_approval_and_a_forced_one_uses_none(queueing: Context) -> None:
    run, _ = queue(queueing, facts(approval_state=approval_state()))
    assert (run.approval, run.forced) == ("a1", "")
    forced, _ = queue(
        queueing, facts(approval_state=approval_state()), request("d2", forced="the site is down")
    )
    assert (forced.approval, forced.forced) == ("", "the site is down")
    assert entries(queueing)[-1].facts["forced"] == "the site is down"


def test_a_revert_has_the_commits_of_its_plan(queueing: Context) -> None:
    plan = replace(PLAN, commit="e" * 40, base_commit="f" * 40, reverts="rel1")
    run, _ = queue(queueing, facts(plan=plan))
    assert (run.commit, run.base_commit, run.reverts) == ("e" * 40, "f" * 40, "rel1")


def test_the_apply_that_runs_there_is_returned(queueing: Context) -> None:
    first, _ = queue(queueing, facts())
    second, before = queue(queueing, facts(), request("d2"))
    assert before == first
    assert second.id != first.id


def test_an_apply_elsewhere_or_a_plan_is_not_in_its_way(queueing: Context) -> None:
    with queueing.store.begin() as tables:
        tables.runs.add(Run("web", "apply", WEB, 7, HEAD, created_at=NOW))
        tables.runs.add(Run("plan", "plan", STAGING, 7, HEAD, created_at=NOW))
    assert queue(queueing, facts())[1] is None


# the lock


def test_the_claim_lasts_as_long_as_the_policy_says(queueing: Context) -> None:
    queue(queueing, facts(environment=Environment("staging", lock_expires=timedelta(hours=2))))
    held = lock_of(queueing)
    assert held is not None
    assert held.expires_at == NOW + timedelta(hours=2)


def test_its_own_claim_stays_as_it_was(queueing: Context) -> None:
    mine = lock_for(queueing, 7, reason="mine")
    queue(queueing, facts())
    assert lock_of(queueing) == mine


def test_an_expired_claim_is_replaced(queueing: Context, clock: Clock) -> None:
    lock_for(queueing, 8, expires_at=NOW + timedelta(minutes=1))
    clock.pass_by(minutes=1)
    queue(queueing, facts())
    held = lock_of(queueing)
    assert held is not None
    assert (held.pull, held.actor) == (7, ANN)


@pytest.mark.parametrize("pull", [8, 0], ids=["another pull request", "by hand"])
def test_a_claim_taken_meanwhile_leaves_nothing_of_the_request(
    queueing: Context, work: Work, pull: int
) -> None:
    theirs = lock_for(queueing, pull)
    with pytest.raises(LockLost) as lost:
        queue(queueing, facts())
    assert lost.value.lock == theirs
    assert lock_of(queueing) == theirs
    assert run_of(queueing, apply_run_id(Origin("d1"), STAGING)) is None
    assert work.runs == []
    assert entries(queueing) == []
    assert due(queueing) == set()


# refusals


def test_a_refusal_is_recorded_and_nothing_else(queueing: Context, work: Work) -> None:
    refusal = Refused("stale", "The plan is old.", "`/plan staging`")
    assert refuse(queueing, refusal) == refusal
    (entry,) = entries(queueing)
    assert (entry.action, entry.login, entry.target, entry.pull) == ("apply.refused", "ann", STAGING.key, 7)
    assert entry.facts == {
        "commit": HEAD,
        "code": "stale",
        "fact": "The plan is old.",
        "next_step": "`/plan staging`",
    }
    with queueing.store.read() as tables:
        assert tables.locks.waiters(STAGING) == []
    assert lock_of(queueing) is None
    assert work.runs == []
    assert due(queueing) == set()


def test_who_is_locked_out_waits_and_is_told_so(queueing: Context) -> None:
    theirs = lock_for(queueing, 8)
    said = refuse(queueing, LOCKED)
    assert said == replace(
        LOCKED,
        next_step="Wait. #7 is on the waiting list: it gets a fresh plan and is notified when the lock is released.",
    )
    with queueing.store.read() as tables:
        assert [(one.pull, one.actor) for one in tables.locks.waiters(STAGING)] == [(7, ANN)]
    assert lock_of(queueing) == theirs
    assert entries(queueing)[-1].facts["code"] == "locked"
    assert "status:acme/infra#7" in due(queueing)


def test_asking_again_is_one_place_on_the_list(queueing: Context) -> None:
    lock_for(queueing, 8)
    refuse(queueing, LOCKED)
    refuse(queueing, LOCKED)
    with queueing.store.read() as tables:
        assert [one.pull for one in tables.locks.waiters(STAGING)] == [7]


def test_nobody_waits_for_a_lock_that_is_gone(queueing: Context) -> None:
    """Nothing would ever wake them: the lock was released between the refusal and its record."""
    assert refuse(queueing, LOCKED) == LOCKED
    with queueing.store.read() as tables:
        assert tables.locks.waiters(STAGING) == []


def test_another_refusal_of_a_locked_target_puts_nobody_on_the_list(queueing: Context) -> None:
    lock_for(queueing, 8)
    refusal = Refused("closed", "#7 is closed.", "Reopen it.")
    assert refuse(queueing, refusal) == refusal
    with queueing.store.read() as tables:
        assert tables.locks.waiters(STAGING) == []
