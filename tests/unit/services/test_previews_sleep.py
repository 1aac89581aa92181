"""Commands of the policy that put an instance to sleep and wake it: requested once, run again after a crash, told as they
end."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.actors import Actor
from bot.domain.identity import EnvironmentSecrets
from bot.domain.lock import Lock
from bot.domain.policy import parse_policy
from bot.domain.refusal import Refusal
from bot.domain.run import Run
from bot.errors import UserError
from bot.sandbox import Sandbox
from bot.services.applies.failures import end_failed_run
from bot.services.context import Context
from bot.services.previews import ended, execute_sleep, settle_run, sleep, wanted
from bot.smoke import Checker
from tests.unit.services.conftest import NOW, Clock
from tests.unit.services.test_previews import PLAN, TARGET, Previews

RULES = """[stack.infra]
root = "infra"
[env.test]
instance = "pr-{pr}"
[env.test.sleep]
command = "sh -c 'echo $TOKEN; exit $CODE'"
wake_command = "sh -c 'exit $CODE'"
"""
FREEZE = '[[env.test.freeze]]\ndeny = "0 0 * * *"\nfor = "24h"\nreason = "holidays"\n'


class Sleeper(Previews):
    """The same, with commands that exit with `code`."""

    code = "0"

    def __init__(self, context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(context, monkeypatch)
        ports: Any = {
            "smoke": Checker({"PATH": os.environ["PATH"]}, Sandbox()),
            "backends": self,
            "secrets": lambda _scope: EnvironmentSecrets.split({"TOKEN": "secret-token", "CODE": self.code}),
        }
        self.context = replace(self.context, **ports)
        self.rules(RULES)
        monkeypatch.setattr(ended, "reconcile_instance", lambda *_facts: None)
        with self.context.store.begin() as tables:
            tables.plans.add(PLAN, b"")

    def rules(self, text: str) -> None:
        super().rules(text)
        self.policy = parse_policy(text, "policy")
        self._monkeypatch.setattr(sleep, "default_policy", lambda *_facts: self.policy)

    def restore(self, _settings: object) -> None: ...

    def current(self, _target: object, _backend: object) -> bytes:
        return b'{"version": 4, "outputs": {}}'

    def want(self, what: Any, **more: Any) -> None:
        """What people or the clock said."""
        with self.context.store.begin() as tables:
            tables.instances.save(
                replace(self.now, wanted=what, wanted_at=self.context.now(), note="", **more)
            )
        sleep.switch_instances(self.context, self.policy, [TARGET])

    def carry_out(self) -> Run:
        """The run that was enqueued last, until it has ended."""
        run = self.work.runs[-1]
        execute_sleep(self.context, run.id)
        settle_run(self.context, run.id)
        return self.row(run)

    def row(self, run: Run) -> Run:
        with self.context.store.read() as tables:
            found = tables.runs.get(run.id)
        assert found is not None
        return found


@pytest.fixture
def sleeper(context: Context, monkeypatch: pytest.MonkeyPatch) -> Sleeper:
    return Sleeper(context, monkeypatch)


def test_asleep_and_awake_again(sleeper: Sleeper, clock: Clock) -> None:
    sleeper.want("asleep")
    sleep.switch_instances(sleeper.context, sleeper.policy, [TARGET])
    assert [run.kind for run in sleeper.work.runs] == ["sleep"], "requested once"
    assert sleeper.carry_out().outcome == "done"
    assert sleeper.now.state == "asleep"
    clock.pass_by(minutes=1)
    sleeper.want("up")
    assert sleeper.carry_out().kind == "wake"
    assert sleeper.now.state == "up"
    sleep.switch_instances(sleeper.context, sleeper.policy, [TARGET])
    assert len(sleeper.work.runs) == 2


def test_a_failure_is_told_with_the_next_step_and_not_repeated(sleeper: Sleeper, clock: Clock) -> None:
    sleeper.code = "3"
    sleeper.want("asleep")
    run = sleeper.carry_out()
    assert run.outcome == "failed"
    assert "exited with 3: ***" in run.message, "without its secrets"
    assert run.next_step == "Run `/test sleep` to try again."
    assert sleeper.now.note == f"{run.message} {run.next_step}"
    assert sleeper.now.half_asleep, "parts may be switched off, so it is woken by command"
    sleep.switch_instances(sleeper.context, sleeper.policy, [TARGET])
    assert len(sleeper.work.runs) == 1
    clock.pass_by(minutes=1)
    sleeper.code = "0"
    sleeper.want("up")
    assert (sleeper.carry_out().outcome, sleeper.now.state) == ("done", "up")


def test_run_again_after_a_crash(sleeper: Sleeper) -> None:
    sleeper.want("asleep")
    run = sleeper.work.runs[-1]
    with sleeper.context.store.begin() as tables:
        tables.runs.move(run.id, ("queued",), "applying", worker="dead")
        tables.instances.save(replace(sleeper.now, state="asleep"))
    assert sleeper.carry_out().outcome == "done"
    settle_run(sleeper.context, run.id)
    assert (sleeper.now.state, sleeper.now.settled) == ("asleep", run.id)


def test_wanted_otherwise_before_it_began(sleeper: Sleeper) -> None:
    sleeper.want("asleep")
    with sleeper.context.store.begin() as tables:
        tables.instances.save(replace(sleeper.now, wanted="up"))
    assert sleeper.carry_out().outcome == "superseded"
    assert sleeper.now.state == "up"


@pytest.mark.parametrize(
    ("row", "outcome"), [({"cancel_by": "ann"}, "cancelled"), ({"superseded_by": "merged"}, "superseded")]
)
def test_stopped(sleeper: Sleeper, row: dict[str, str], outcome: str) -> None:
    sleeper.rules(RULES.replace("echo $TOKEN", "sleep 60"))
    sleeper.want("asleep")
    run = sleeper.work.runs[-1]
    started = sleep._start

    def stop(context: Context, run: Run) -> bool:
        begun = started(context, run)
        with context.store.begin() as tables:
            tables.runs.update(run.id, **row)
        return begun

    sleeper._monkeypatch.setattr(sleep, "_start", stop)
    assert sleeper.carry_out().outcome == outcome
    assert sleeper.now.state == "asleep", f"{run.id} had started"


def test_locks_and_freezes_stop_it(sleeper: Sleeper, clock: Clock) -> None:
    sleeper.rules(RULES + FREEZE)
    sleeper.want("asleep")
    assert sleeper.work.runs == []
    sleeper.rules(RULES)
    with sleeper.context.store.begin() as tables:
        tables.locks.take(Lock(TARGET, Actor("bob"), NOW, reason="by hand"), NOW)
    sleeper.want("asleep")
    assert sleeper.work.runs == []
    with sleeper.context.store.begin() as tables:
        tables.locks.release(TARGET)
    sleeper.want("asleep")
    with sleeper.context.store.begin() as tables:
        tables.locks.take(Lock(TARGET, Actor("bob"), NOW, reason="by hand"), NOW)
    run = sleeper.carry_out()
    assert run.outcome == "refused"
    assert "locked by @bob" in run.message
    assert sleeper.now.state == "up"


def test_what_is_not_there_cannot_sleep(sleeper: Sleeper) -> None:
    with sleeper.context.store.begin() as tables:
        tables.instances.save(replace(sleeper.now, state="pending"))
    with pytest.raises(Refusal, match="no instance"):
        wanted.sleep_instance(sleeper.context, TARGET, sleeper.policy.environments["test"], Actor("ann"))
    sleeper.want("asleep")
    assert sleeper.work.runs == []


def test_an_error_ends_it(sleeper: Sleeper) -> None:
    sleeper.want("asleep")
    run = sleeper.work.runs[-1]
    end_failed_run(sleeper.context, run.id, UserError("The vault is closed."), "")
    settle_run(sleeper.context, run.id)
    assert sleeper.now.note == "The vault is closed. Run `/test sleep` to try again."
