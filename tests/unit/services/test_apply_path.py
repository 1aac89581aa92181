"""A request, a completed approval and a revert take one path: the same gates in the same order, and what they say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.actors import Actor
from bot.domain.approvals import Approval
from bot.domain.chat import RunsStarted
from bot.domain.gates import GATES
from bot.domain.lock import Lock
from bot.domain.policy.loader import parse_policy
from bot.domain.ports.forge import PullRequest
from bot.domain.refusal import Allowed, Refused
from bot.domain.run import Origin, Run
from bot.domain.target import Target
from bot.services.applies.options import ApplyRequest
from bot.services.applies.request import request_apply
from bot.services.applies.when_approved import apply_approved
from bot.services.context import Context
from bot.services.reverts.request import RevertRequest, request_revert
from bot.services.targets import PullContext
from tests.fixtures.refusals import refusal_of
from tests.integration.storage import samples
from tests.unit.services.conftest import NOW

STAGING = Target("acme/infra", "infra", "staging")
POLICY = '[stack.infra]\nroot = "infra"\n[env.staging]\non_pull_request = "plan"\n'
GUARDED = POLICY + "approvals = { count = 1 }\n"
ENGINE = "terraform 1.11.4"
ANN, HEAD = Actor("ann"), "c" * 40


class Ports:
    """A world in which nothing moved: GitHub, git, Terraform and the backends, and a queue that keeps what it got."""

    def __init__(self, policy: str) -> None:
        self.policy = policy.encode()
        self.enqueued: list[Run] = []
        self.engine = type("Engine", (), {"identity": ENGINE})()

    def pull(self, _repository: str, _number: int) -> PullRequest:
        return samples.pull(number=7, state="open", head_sha=HEAD, author="ann")

    def repository(self, name: str) -> Any:
        return samples.repository(name)

    def head_of(self, _repository: str, _branch: str) -> str:
        return "b" * 40

    def read(self, _repository: str, _commit: str, _path: str) -> bytes:
        return self.policy

    def reviews(self, _repository: str, _number: int) -> list[Any]:
        return []

    def role(self, _repository: str, _login: str) -> str:
        return "write"

    def members(self, _team: str) -> frozenset[str]:
        return frozenset()

    def authors(self, *_facts: object, **_named: object) -> frozenset[str]:
        return frozenset(["ann"])

    def commits(self, *_facts: object, **_named: object) -> list[str]:
        return []

    def git_credentials(self, _repository: str) -> None:
        return None

    def fetch(self, *_facts: object, **_named: object) -> None:
        """Everything is there."""

    def changed(self, _repository: str, _base: str, _head: str) -> list[str]:
        return []

    def is_ancestor(self, *_facts: object) -> bool:
        return False

    def restore(self, kept: dict[str, Any]) -> Any:
        return type("Backend", (), {"kind": kept["kind"], "config": kept["config"]})()

    def enqueue(self, run: Run, _tables: object) -> None:
        self.enqueued.append(run)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the gates, as they are asked."""
    names: list[str] = []

    class Watched:
        def __init__(self, gate: Any) -> None:
            self._gate = gate

        def check(self, facts: Any) -> Allowed | Refused:
            names.append(type(self._gate).__name__)
            answer: Allowed | Refused = self._gate.check(facts)
            return answer

    monkeypatch.setattr("bot.domain.gates.order.GATES", tuple(map(Watched, GATES)))
    return names


def world(context: Context, policy: str = POLICY) -> tuple[Context, Ports]:
    ports: Any = Ports(policy)
    made = replace(
        context, forge=ports, git=ports, terraform=ports, backends=ports, work=ports, hidden=(), logins={}
    )
    return made, ports


def plan(context: Context, **more: Any) -> None:
    """A fresh plan of the latest commit."""
    facts: dict[str, Any] = {
        "target": STAGING,
        "commit": HEAD,
        "engine": ENGINE,
        "policy": parse_policy(POLICY, "").digest("infra", "staging"),
        "lineage": "",
        "serial": 0,
        "backend": {"kind": "http", "config": {}},
        "summary": {},
        "created_at": NOW - timedelta(minutes=5),
    }
    with context.store.begin() as tables:
        tables.pulls.save(samples.pull(number=7, state="open", head_sha=HEAD, author="ann"))
        tables.plans.add(samples.plan("p1", pull=7, run_id="p1", **facts | more), samples.FILE)


def pull_context(ports: Ports) -> PullContext:
    policy = parse_policy(ports.policy.decode(), "")
    return PullContext(ports.pull("", 7), policy, "b" * 40)


def request(ports: Ports, delivery: str = "d1") -> ApplyRequest:
    return ApplyRequest(pull_context(ports), (STAGING,), ANN, Origin(delivery))


def revert(ports: Ports, **more: Any) -> RevertRequest:
    return RevertRequest(pull_context(ports), STAGING, ANN, Origin("d2"), **more)


def approval(context: Context) -> Approval:
    made = Approval(
        id="a1", target=STAGING, pull=7, run_id="p1", plan_digest=samples.plan().digest, commit=HEAD, actor=ANN,
        origin=Origin("d1"), created_at=NOW, expires_at=NOW + timedelta(hours=1), count=0, when_approved=True,
        status="open",
    )  # fmt: skip
    with context.store.begin() as tables:
        tables.approvals.add(made)
    return made


def test_all_three_ask_the_same_gates_in_the_same_order(context: Context, asked: list[str]) -> None:
    order = [type(gate).__name__ for gate in GATES]
    seen = {}

    applying, ports = world(context)
    plan(applying)
    assert isinstance(request_apply(applying, request(ports)), RunsStarted)
    seen["request"], asked[:] = asked[:], []

    with applying.store.begin() as tables:
        tables.runs.move(ports.enqueued[0].id, ("queued",), "finished", outcome="refused")
        tables.locks.release(STAGING)
    apply_approved(applying, approval(applying))
    seen["approval"], asked[:] = asked[:], []

    with applying.store.begin() as tables:
        tables.runs.move(ports.enqueued[1].id, ("queued",), "finished", outcome="refused")
        tables.locks.release(STAGING)
        tables.approvals.end("a1", "used", "", NOW)
        tables.plans.take("p1", "fresh", "applied")
        tables.releases.add(samples.release("e1", STAGING))
    with applying.store.begin() as tables:
        file = samples.FILE
        made = replace(
            samples.plan("p2", file=file), target=STAGING, commit="e" * 40, engine=ENGINE, lineage="", serial=0,
            policy=parse_policy(POLICY, "").digest("infra", "staging"), backend={"kind": "http", "config": {}},
            created_at=NOW, reverts="e1", pull=7, run_id="p2",
        )  # fmt: skip
        tables.plans.add(made, file)
    assert isinstance(request_revert(applying, revert(ports)), RunsStarted)
    seen["revert"] = asked[:]

    assert seen == {"request": order, "approval": order, "revert": order}
    assert [run.reverts for run in ports.enqueued] == ["", "", "e1"]


def test_a_missing_approval_is_asked_for(context: Context) -> None:
    applying, ports = world(context, GUARDED)
    plan(applying, policy=parse_policy(GUARDED, "").digest("infra", "staging"))
    said = request_apply(applying, request(ports))
    assert type(said).__name__ == "ApprovalRequest"
    with applying.store.read() as tables:
        live = tables.approvals.live(STAGING, 7)
        assert tables.locks.get(STAGING) is None
    assert live is not None
    assert live.plan_digest == samples.plan().digest
    assert ports.enqueued == []


def test_a_locked_target_refuses_and_puts_on_the_waiting_list(context: Context) -> None:
    applying, ports = world(context)
    plan(applying)
    with applying.store.begin() as tables:
        tables.locks.take(Lock(STAGING, Actor("bob"), NOW, pull=8, reason="apply"), NOW)
    said = refusal_of(request_apply, applying, request(ports))
    assert said.code == "locked"
    assert "waiting list" in said.next_step
    with applying.store.read() as tables:
        assert [waiter.pull for waiter in tables.locks.waiters(STAGING)] == [7]


def test_a_completed_approval_waits_for_a_lock(context: Context) -> None:
    applying, ports = world(context)
    plan(applying)
    waiting = approval(applying)
    with applying.store.begin() as tables:
        tables.locks.take(Lock(STAGING, Actor("bob"), NOW, pull=8, reason="apply"), NOW)
    apply_approved(applying, waiting)
    with applying.store.read() as tables:
        kept = tables.approvals.get("a1")
        assert tables.locks.waiters(STAGING) == []
    assert kept is not None
    assert kept.status == "open"
    assert ports.enqueued == []


def test_a_completed_approval_of_a_stale_plan_ends(context: Context) -> None:
    applying, ports = world(context)
    plan(applying, engine="terraform 1.5.0")
    apply_approved(applying, approval(applying))
    with applying.store.read() as tables:
        ended = tables.approvals.get("a1")
    assert ended is not None
    assert ended.status == "dead"
    assert "1.5.0" in ended.why
    assert ports.enqueued == []


def test_a_request_is_taken_once(context: Context) -> None:
    applying, ports = world(context)
    plan(applying)
    first = request_apply(applying, request(ports))
    again = request_apply(applying, request(ports))
    assert isinstance(first, RunsStarted)
    assert isinstance(again, RunsStarted)
    assert [run.id for run in first.runs] == [run.id for run in again.runs]
    assert len(ports.enqueued) == 1
