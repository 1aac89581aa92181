"""The schedule of looks for drift: what is due, once, a few at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.actors import SYSTEM
from bot.domain.drift.model import drift_check_due
from bot.domain.policy.loader import parse_policy
from bot.domain.ports.forge import Repository
from bot.domain.ports.store import Tables
from bot.domain.release import Release
from bot.domain.run import ACTIVE, Run
from bot.domain.target import Target
from bot.services.context import Context
from bot.services.drift import request
from tests.unit.services.conftest import NOW, Clock

POLICY = """[env.staging]
drift = "6h"
[env.prod]
[stack.a]
root = "a"
[stack.b]
root = "b"
[stack.c]
root = "c"
"""
STAGING = [Target("acme/infra", stack, "staging") for stack in "abc"]


class Work:
    """Notes what is enqueued."""

    def __init__(self) -> None:
        self.runs: list[Run] = []

    def enqueue(self, run: Run, _tables: Tables) -> None:
        self.runs.append(run)


@pytest.fixture
def planned(context: Context, monkeypatch: pytest.MonkeyPatch) -> Context:
    """Three stacks that stand in staging and in prod, of which staging is looked at."""
    rules(monkeypatch, POLICY)
    work: Any = Work()
    with context.store.begin() as tables:
        tables.pulls.save_repository(
            Repository("acme/infra", "main", "http://localhost/i.git", "http://localhost/i")
        )
        for target in (*STAGING, *(replace(one, environment="prod") for one in STAGING)):
            tables.releases.add(release(target))
    return replace(context, work=work)


def rules(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    policy = parse_policy(text, "policy")
    monkeypatch.setattr(request, "default_policy", lambda *_facts: policy)


def release(target: Target, name: str = "e", **more: Any) -> Release:
    facts: dict[str, Any] = {"run_id": "r", "plan_digest": "d", "commit": "c1", "pull": 7, "serial": 1}
    actor = SYSTEM
    return Release(f"{name}-{target.key}", target, actor=actor, created_at=NOW, **facts | more)


def end(context: Context) -> None:
    """All runs have ended."""
    with context.store.begin() as tables:
        for run in tables.runs.active():
            tables.runs.move(run.id, ACTIVE, "finished", outcome="checked")


def begun(context: Context) -> list[str]:
    """The stacks that one turn of the clock begins with."""
    work: Any = context.work
    before = len(work.runs)
    assert request.schedule_drift_checks(context) == len(work.runs) - before
    assert all(run.target.environment == "staging" for run in work.runs)
    return [run.target.stack for run in work.runs[before:]]


def test_a_few_at_a_time_and_each_once(planned: Context, clock: Clock) -> None:
    first = begun(planned)
    assert len(first) == request.MAX_SCHEDULED
    assert begun(planned) == []
    end(planned)
    assert sorted(first + begun(planned)) == ["a", "b", "c"]
    end(planned)
    assert begun(planned) == []
    clock.pass_by(hours=6)
    assert len(begun(planned)) == request.MAX_SCHEDULED


def test_what_was_missed_is_made_up_for_once(planned: Context, clock: Clock) -> None:
    clock.pass_by(days=30)
    seen = []
    for _ in range(5):
        seen += begun(planned)
        end(planned)
    assert sorted(seen) == ["a", "b", "c"]


def test_where_nothing_stands(planned: Context) -> None:
    """An apply is at work, or has failed; or nothing was ever applied."""
    with planned.store.begin() as tables:
        tables.releases.deactivate(STAGING[0])
        tables.runs.add(Run("r1", "apply", STAGING[1], 7, "c2"))
    assert begun(planned) == ["c"]


def test_a_freeze_of_plans(planned: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    day = NOW.strftime("%d %m")
    window = f'freeze = [{{ deny = "0 0 {day} *", for = "24h", actions = ["plan"] }}]'
    rules(monkeypatch, POLICY.replace("[env.prod]", f"{window}\n[env.prod]"))
    assert begun(planned) == []


def test_who_asked_within_the_round_was_answered(planned: Context, clock: Clock) -> None:
    """A look is a look, whoever asked for it; one from before the round is not enough."""
    for target in STAGING[:2]:
        length = timedelta(hours=6)
        asked = drift_check_due(target.key, length, NOW) + timedelta(seconds=target.stack == "a") * 2
        asked -= timedelta(seconds=1)
        run = Run(target.stack, "drift", target, 7, "c1", phase="finished", created_at=asked)
        with planned.store.begin() as tables:
            tables.runs.add(run)
    assert sorted(begun(planned)) == ["b", "c"]


def test_the_first_check_after_an_apply_is_due_at_once(planned: Context, clock: Clock) -> None:
    """It records the baseline; what was checked before the apply does not count."""
    for _ in STAGING:
        begun(planned)
        end(planned)
    assert begun(planned) == []
    clock.pass_by(minutes=1)
    with planned.store.begin() as tables:
        tables.releases.add(replace(release(STAGING[1], "e2"), created_at=planned.now()))
    assert begun(planned) == ["b"]
    end(planned)
    assert begun(planned) == []
