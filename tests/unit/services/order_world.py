"""Two stacks, `network` and `app`, which comes after it and gets its `vpc_id`; a world in which nothing else moves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.domain.actors import Actor
from bot.domain.chat import Reply
from bot.domain.policy.loader import parse_policy
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.state import Author
from bot.domain.ports.store import Tables
from bot.domain.run import InputValue, Origin, Run
from bot.domain.states import StateInfo
from bot.domain.target import Target
from bot.services.context import Context
from bot.services.targets import PullContext
from tests.integration.storage import samples
from tests.unit.services.conftest import NOW
from tests.unit.services.test_apply_path import ENGINE, HEAD, Ports

NETWORK, APP = Target("acme/infra", "network", "staging"), Target("acme/infra", "app", "staging")
ANN = Actor("ann")
POLICY = """[stack.app]
root = "app"
after = ["network"]
inputs = { vpc_id = "network.vpc_id" }
[stack.network]
root = "network"
[env.staging]
"""


class World(Ports):
    """Pull requests 7 and 8 touch both stacks, unless `touched` says otherwise."""

    def __init__(self, context: Context, policy: str = POLICY) -> None:
        super().__init__(policy)
        me: Any = self
        self.touched = ["network/main.tf", "app/main.tf"]
        self.replans: list[str] = []
        self.told: list[tuple[int, str, str]] = []
        self.context = replace(
            context,
            forge=me,
            git=me,
            terraform=me,
            backends=me,
            work=me,
            hidden=(),
            logins={},
            tell=self.tell,
        )
        with context.store.begin() as tables:
            tables.pulls.save_repository(samples.repository())
            for number in (7, 8):
                tables.pulls.save(self.pull("", number))

    def pull(self, _repository: str, number: int) -> PullRequest:
        return samples.pull(number=number, state="open", head_sha=HEAD, author="ann")

    def changed(self, _repository: str, base: str, _head: str) -> list[str]:
        return self.touched if base == "b" * 40 else []

    def module_users(self, *_facts: object) -> dict[str, frozenset[str]]:
        return {}

    def files(self, *_facts: object) -> list[str]:
        return []

    def enqueue_replans(self, applied: Run, _tables: Tables) -> None:
        self.replans.append(applied.id)

    def tell(self, _tables: Tables, origin: Origin, _repository: str, pull: int, result: Reply) -> None:
        self.told.append((pull, origin.delivery, str(getattr(result, "text", result))))

    def pull_context(self, number: int = 7) -> PullContext:
        return PullContext(self.pull("", number), parse_policy(self.policy.decode(), ""), "b" * 40)

    # rows

    def state(self, vpc: str, serial: int = 1) -> str:
        """Record a state of the network; return the version's id."""
        data = json.dumps(
            {
                "version": 4, "serial": serial, "lineage": "l", "resources": [],
                "outputs": {"vpc_id": {"value": vpc, "type": "string"}},
            }
        ).encode()  # fmt: skip
        with self.context.store.begin() as tables:
            return tables.states.append(NETWORK.key, data, StateInfo.parse(data), Author()).id

    def plan(self, plan_id: str, target: Target, *, vpc: str = "", **more: Any) -> None:
        """A fresh plan of the latest commit. vpc: the input that it was made with."""
        policy = parse_policy(self.policy.decode(), "")
        given: InputValue = {"stack": "network", "output": "vpc_id", "value": vpc, "version": "old"}
        facts: dict[str, Any] = {
            "target": target, "commit": HEAD, "engine": ENGINE, "lineage": "", "serial": 0, "summary": {}, "pull": 7,
            "run_id": plan_id, "policy": policy.digest(target.stack, "staging"), "created_at": NOW - timedelta(minutes=5),
            "backend": {"kind": "http", "config": {}}, "inputs": {"vpc_id": given} if vpc else {},
        }  # fmt: skip
        with self.context.store.begin() as tables:
            tables.plans.add(samples.plan(plan_id, **facts | more), samples.FILE)

    def run(self, run_id: str, target: Target, **more: Any) -> Run:
        made = samples.run(run_id, **{"target": target, "commit": HEAD, "progress": {}, **more})
        with self.context.store.begin() as tables:
            tables.runs.add(made)
        return made

    def runs(self, number: int = 7) -> list[Run]:
        with self.context.store.read() as tables:
            return [run for run in reversed(tables.runs.recent("acme/infra", 100)) if run.pull == number]

    def names(self, runs: Sequence[Run]) -> list[str]:
        return [f"{run.kind} {run.target.stack}" for run in runs]
