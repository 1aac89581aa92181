"""A world in which pull requests are merged, and Terraform plans what a test says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.domain.plans import plan_pages, read_plan
from bot.domain.ports.forge import PullRequest
from bot.domain.ports.terraform import CommandResult, Control, PlanOptions, PlanResult, WorkDir
from bot.domain.run import ACTIVE, Run
from bot.domain.sync import Sync
from bot.domain.target import Target
from bot.services.context import Context
from bot.services.sync import execute_sync, sweep_syncs, sync_merged
from tests.integration.storage import samples
from tests.unit.services.conftest import NOW
from tests.unit.services.world import BASE, HEAD, STACK, STAGING, World

ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40
"""Commits of main, one after the other."""
SYNC = f'{STACK}[env.staging]\non_merge = "sync"\n'
APPLY = f'{STACK}[env.staging]\non_merge = "apply"\n'


def changes(*names: str) -> dict[str, Any]:
    """`show -json` of a plan that changes these resources."""
    change = {"actions": ["update"], "before": {"size": 1}, "after": {"size": 2}}
    found = [
        {"address": f"t.{one}", "mode": "managed", "type": "t", "name": one, "change": change}
        for one in names
    ]
    return {"format_version": "1.2", "resource_changes": found}


class Syncing(World):
    """`planned` are the resources that a plan of main changes. `merged_now` is what GitHub lists as merged."""

    def __init__(self, context: Context, policy: str = SYNC) -> None:
        super().__init__(context, policy)
        self.planned: tuple[str, ...] = ()
        self.plan_result = CommandResult(0, "")
        self.on_plan: Any = lambda: None
        self.moved = ["infra/main.tf"]
        self.asked_for_merged = 0
        self.order = [BASE, ONE, TWO, THREE]
        for commit in self.order:
            self.policies[commit] = policy.encode()

    # ports

    def changed(self, _repository: str, base: str, head: str) -> list[str]:
        return [] if base == head else self.moved

    def is_ancestor(self, _repository: str, ancestor: str, commit: str) -> bool:
        if ancestor in self.order and commit in self.order:
            return self.order.index(ancestor) <= self.order.index(commit)
        return super().is_ancestor(_repository, ancestor, commit)

    def move(self, *_facts: object) -> bool:
        return False

    def merged_pulls(self, _repository: str, _branch: str) -> list[PullRequest]:
        self.asked_for_merged += 1
        return [one for one in self.pulls.values() if one.state == "merged"]

    def plan(self, _work_dir: WorkDir, out: Path, _control: Control, _options: PlanOptions) -> PlanResult:
        out.write_bytes(samples.FILE)
        self.on_plan()
        return PlanResult(self.plan_result, bool(self.planned), changes(*self.planned))

    # what people do

    def reviewed(self, number: int, *names: str, target: Target = STAGING, **more: Any) -> None:
        """A pull request whose plan, shown on GitHub, changes these resources."""
        everything = read_plan(changes(*names), (), None)
        pages = tuple(plan_pages(everything))
        plan = self.keep_plan(
            f"plan-{number}-{target.environment}-{''.join(names)}", target, pull=number, **more
        )
        plan = replace(plan, id=f"{plan.id}-pages", summary=everything.abridged(len(pages)).to_dict())
        with self.context.store.begin() as tables:
            tables.plans.add(plan, samples.FILE, pages)

    def merge(self, number: int = 7, commit: str = ONE, *, told: bool = True, **more: Any) -> None:
        """Merged as `commit`. told: the event arrives."""
        at = NOW + timedelta(minutes=self.order.index(commit))
        pull = samples.pull(
            number, head_sha=HEAD, state="merged", merge_sha=commit, base_sha=BASE, closed_at=at, **more
        )
        self.pulls[number], self.tip = pull, commit
        if told:
            self.tell_merged(number)

    def tell_merged(self, number: int = 7) -> None:
        with self.context.store.begin() as tables:
            tables.pulls.save(self.pulls[number])
        sync_merged(self.context, self.pulls[number])

    def work(self) -> None:
        """A worker takes the syncs off the queue, oldest first."""
        while waiting := [one for one in self.enqueued if one.kind == "sync"]:
            self.enqueued.remove(waiting[0])
            execute_sync(self.context, waiting[0].id)

    def sweep(self) -> None:
        self.context.caches.tips.forget(("acme/infra", "main"))
        sweep_syncs(self.context)

    # what is seen

    def syncs(self, target: Target = STAGING) -> list[Sync]:
        """Oldest first."""
        with self.context.store.read() as tables:
            return tables.syncs.of_target(target, 100)[::-1]

    def sync(self, target: Target = STAGING) -> Sync:
        return self.syncs(target)[-1]

    @property
    def applies(self) -> list[Run]:
        return [run for run in self.enqueued if run.kind == "apply"]

    def end(self, run: Run, outcome: str = "applied") -> None:
        with self.context.store.begin() as tables:
            tables.runs.move(run.id, ACTIVE, "finished", outcome=outcome)
