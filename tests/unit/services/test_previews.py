"""What time, failures and the policy do to instances, on a clock that stands still until it is moved."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.chat import Notice
from bot.domain.policy import parse_policy
from bot.domain.ports.forge import PullRequest, Repository
from bot.domain.ports.store import Tables
from bot.domain.previews import Instance
from bot.domain.refusal import Refused
from bot.domain.run import ACTIVE, Origin, Plan, Run
from bot.domain.states import StateInfo
from bot.domain.target import Target
from bot.services.applies.attempt import Attempted
from bot.services.context import GATHER, Context
from bot.services.plans import PlanRequest
from bot.services.previews import (
    forget_ended_instances,
    reconcile,
    settle_run,
    sweep_instances,
    teardown,
)
from bot.services.previews import sweep as sweep_module
from bot.services.targets import PullContext
from tests.unit.services.conftest import NOW, Clock

TARGET = Target("acme/infra", "infra", "test", "pr-7")
PLAN = Plan(
    id="p0",
    run_id="p0",
    target=TARGET,
    pull=7,
    commit="c1",
    base_commit="b0",
    digest=hashlib.sha256(b"").hexdigest(),
    policy="p",
    engine="e",
    lineage="",
    serial=0,
    tree="t",
    worktree="w",
    root="r",
    has_changes=True,
    summary={},
    backend={"kind": "http", "config": {}},
    created_at=NOW,
)
POLICY = """[stack.infra]
root = "infra"
[env.test]
instance = "pr-{pr}"
ttl = "72h"
sleep = { after = "2h", var_files = ["envs/asleep.tfvars"] }
"""


class Work:
    """Notes what is enqueued."""

    def __init__(self) -> None:
        self.runs: list[Run] = []

    def enqueue(self, run: Run, _tables: Tables) -> None:
        self.runs.append(run)


class Previews:
    """One instance that is up, of an open pull request; what it is told, and what is enqueued."""

    def __init__(self, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: list[str] = []
        self.work = Work()
        self.state = "open"
        self._monkeypatch = monkeypatch
        ports: Any = {"work": self.work, "forge": self, "tell": self.tell}
        self.context = replace(context, **ports)
        with self.context.store.begin() as tables:
            tables.pulls.save_repository(Repository("acme/infra", "main", "http://x/i.git", "http://x/i"))
            tables.pulls.save(self.pull("acme/infra", 7))
            tables.instances.save(
                Instance(
                    TARGET,
                    7,
                    "up",
                    "up",
                    False,
                    NOW,
                    NOW,
                    NOW,
                    commit="c1",
                    expires_at=NOW + timedelta(hours=72),
                )
            )
        self.rules(POLICY)

    def rules(self, text: str) -> None:
        policy = parse_policy(text, "policy")
        self._monkeypatch.setattr(sweep_module, "default_policy", lambda *_facts: policy)
        self._monkeypatch.setattr(teardown, "readable_policy", lambda *_facts: policy)

    def pull(self, repository: str, number: int) -> PullRequest:
        state: Any = self.state
        return PullRequest(
            repository, number, "t", "ann", state, False, "c1", "b", repository, "main", "b0", "http://x/7"
        )

    def tell(self, _tables: Tables, origin: Origin, _repository: str, _pull: int, told: Notice) -> None:
        self.told.append(f"{origin.channel}{told.text} {told.next_step}")

    @property
    def now(self) -> Instance:
        with self.context.store.read() as tables:
            found = tables.instances.get(TARGET)
        assert found is not None
        return found

    def end(self, outcome: str, message: str = "") -> None:
        """The destroy that was enqueued last has ended like this."""
        run = self.work.runs[-1]
        with self.context.store.begin() as tables:
            tables.runs.move(run.id, ACTIVE, "finished", outcome=outcome, message=message)
        settle_run(self.context, run.id)

    def sweep(self) -> int:
        """The clock's tick; returns how many runs it enqueued."""
        before = len(self.work.runs)
        self.context.caches.pulls.forget(("acme/infra", 7))
        sweep_instances(self.context)
        return len(self.work.runs) - before


@pytest.fixture
def previews(context: Context, monkeypatch: pytest.MonkeyPatch) -> Previews:
    return Previews(context, monkeypatch)


def test_warned_a_day_and_an_hour_before_and_then_destroyed(previews: Previews, clock: Clock) -> None:
    previews.rules(POLICY.replace("sleep", "# sleep"))
    assert previews.sweep() == 0
    assert previews.told == []
    clock.pass_by(hours=49)
    previews.sweep()
    previews.sweep()
    (day,) = previews.told
    assert "in less than a day" in day
    assert "`/test extend` keeps it" in day
    clock.pass_by(hours=22, minutes=30)
    previews.sweep()
    previews.sweep()
    assert len(previews.told) == 2
    assert "in less than an hour" in previews.told[1]
    clock.pass_by(hours=1)
    assert previews.sweep() == 1
    assert previews.work.runs[-1].kind == "destroy"
    assert previews.now.why == "expired"
    assert previews.sweep() == 0, "one destroy at a time"


def test_a_day_late_one_warning_says_it(previews: Previews, clock: Clock) -> None:
    previews.rules(POLICY.replace("sleep", "# sleep"))
    clock.pass_by(hours=71, minutes=30)
    previews.sweep()
    assert len(previews.told) == 1
    assert "an hour" in previews.told[0]


def test_what_nobody_uses_is_to_sleep(
    previews: Previews, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Target] = []
    monkeypatch.setattr(sweep_module, "reconcile_instance", lambda _context, target: seen.append(target))
    clock.pass_by(minutes=119)
    previews.sweep()
    assert (previews.now.wanted, seen) == ("up", [])
    clock.pass_by(minutes=1)
    previews.sweep()
    assert (previews.now.wanted, seen) == ("asleep", [TARGET])


@pytest.mark.parametrize("state", ["closed", "merged"])
def test_a_close_that_nobody_told(previews: Previews, state: str) -> None:
    previews.state = state
    assert previews.sweep() == 1
    assert previews.now.why == state


def test_an_environment_that_the_policy_no_longer_has(previews: Previews) -> None:
    previews.rules('[stack.infra]\nroot = "infra"\n[env.staging]\n')
    assert previews.sweep() == 1
    assert previews.now.why == "removed"


def test_a_destroy_that_fails_three_times_needs_people(previews: Previews, clock: Clock) -> None:
    previews.state = "closed"
    assert previews.sweep() == 1
    previews.end("failed", "quota")
    assert previews.sweep() == 0, "not at once"
    clock.pass_by(minutes=1)
    assert previews.sweep() == 1
    previews.end("failed", "quota")
    clock.pass_by(minutes=4)
    assert previews.sweep() == 0
    clock.pass_by(minutes=1)
    assert previews.sweep() == 1
    previews.end("interrupted", "the worker died")
    assert previews.now.leaked
    assert previews.now.attempts == 3
    assert previews.sweep() == 0
    assert len(previews.told) == 1
    assert "could not be destroyed after 3 attempts" in previews.told[0]
    clock.pass_by(hours=6)
    assert previews.sweep() == 1, "what blocked it may have passed"
    previews.end("destroyed")
    assert previews.now.state == "gone"
    assert not previews.now.leaked


def test_steps_are_gathered_and_the_end_is_shown_at_once(previews: Previews) -> None:
    def due() -> Any:
        with previews.context.store.read() as tables:
            check = tables.surfaces.get(f"check:{TARGET.key}#7")
        assert check is not None
        return check.due_at

    previews.state = "closed"
    previews.sweep()
    assert due() == NOW + GATHER
    previews.end("destroyed")
    assert due() == NOW


def test_an_end_counts_once(previews: Previews) -> None:
    previews.state = "closed"
    previews.sweep()
    previews.end("failed", "quota")
    settle_run(previews.context, previews.work.runs[-1].id)
    assert previews.now.attempts == 1


def test_the_state_is_kept_for_thirty_days(previews: Previews, clock: Clock) -> None:
    data = b'{"version": 4, "serial": 1, "lineage": "l", "resources": [], "outputs": {}}'
    previews.state = "closed"
    previews.sweep()
    with previews.context.store.begin() as tables:
        tables.states.append(TARGET.key, data, StateInfo.parse(data))
    previews.end("destroyed")
    clock.pass_by(days=29)
    assert forget_ended_instances(previews.context, 10) == 0
    clock.pass_by(days=2)
    assert forget_ended_instances(previews.context, 10) == 1
    with previews.context.store.read() as tables:
        assert tables.states.versions(TARGET.key, 10) == []
        assert tables.instances.get(TARGET) is None


def test_plans_that_can_never_be_applied_are_not_made_for_ever(
    previews: Previews, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned: list[str] = []

    def plan(_context: Context, request: PlanRequest) -> None:
        planned.append(request.seed)
        made = replace(PLAN, id=f"p{len(planned)}", run_id=f"p{len(planned)}")
        with previews.context.store.begin() as tables:
            tables.plans.supersede(TARGET, 7)
            tables.plans.add(made, b"")

    policy = parse_policy(POLICY, "policy")
    refusal = Attempted(refusal=Refused("policy-changed", "The policy changed.", "Plan again."))
    monkeypatch.setattr(
        reconcile, "load_pull_context", lambda _context, pull, _at_most: PullContext(pull, policy, "b0")
    )
    monkeypatch.setattr(reconcile, "attempt_apply", lambda *_facts: refusal)
    monkeypatch.setattr(reconcile, "request_plans", plan)
    with previews.context.store.begin() as tables:
        tables.plans.add(PLAN, b"")
        tables.instances.save(replace(previews.now, state="pending"))
    for _ in range(6):
        reconcile.reconcile_instance(previews.context, TARGET)
    assert len(planned) == len(set(planned)) == reconcile.REPLANS
    assert previews.now.note == "The policy changed. Plan again."
