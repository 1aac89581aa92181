"""What the clock makes up for: events that never arrived, a day of downtime, a worker that died."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.ports.state import Author
from bot.domain.run import ACTIVE
from bot.domain.states import StateInfo
from bot.domain.target import Target
from bot.services.context import Context
from bot.services.runs import RunEnd, finish_run
from bot.services.sync import execute
from tests.contract.state_store import state
from tests.unit.services.conftest import Clock
from tests.unit.services.syncs import APPLY, ONE, SYNC, THREE, TWO, Syncing
from tests.unit.services.world import BASE, STAGING


@pytest.fixture
def world(context: Context) -> Syncing:
    made = Syncing(context)
    made.sweep()
    return made


def test_the_first_look_only_notes_where_main_is(world: Syncing) -> None:
    assert [(one.status, one.commit) for one in world.syncs()] == [("baseline", BASE)]
    world.sweep()
    assert (len(world.syncs()), world.enqueued, world.asked_for_merged) == (1, [], 0)


def test_a_merge_whose_event_never_arrived(world: Syncing) -> None:
    world.merge(told=False)
    world.sweep()
    assert [(run.kind, run.commit, run.pull) for run in world.enqueued] == [("sync", ONE, 7)]
    world.sweep()
    assert len(world.enqueued) == 1
    world.work()
    assert (world.sync().status, world.sync().pulls) == ("in_sync", (7,))
    world.tell_merged()
    assert len(world.syncs()) == 2, "its event comes after all"


def test_a_day_of_merges_is_one_sync_in_their_order(world: Syncing) -> None:
    for number, commit in ((9, ONE), (7, TWO), (8, THREE)):
        world.merge(number, commit, told=False)
    world.sweep()
    world.work()
    assert [(one.commit[:1], one.pulls) for one in world.syncs()] == [("b", ()), ("3", (9, 7, 8))]
    assert world.asked_for_merged == 1


def test_a_commit_that_changes_nothing_here_is_noted(world: Syncing) -> None:
    world.moved = ["README.md"]
    world.merge(told=False)
    world.sweep()
    assert (world.enqueued, world.sync().seen, world.asked_for_merged) == ([], ONE, 0)


def test_a_push_without_a_pull_request_is_told_in_slack(world: Syncing) -> None:
    world.context = replace(world.context, channel="C1")
    world.tip, world.planned = ONE, ("a",)
    world.sweep()
    world.work()
    assert (world.sync().status, world.sync().pull) == ("differs", 0)
    ((pull, said),) = world.told
    assert (pull, said.text) == (
        0,
        "staging differs from the default branch at `1111111`, which was pushed without a pull request.",
    )


def test_what_nobody_reviewed_is_never_applied(context: Context) -> None:
    world = Syncing(context, APPLY)
    world.sweep()
    world.tip, world.planned = ONE, ("a",)
    world.sweep()
    world.work()
    assert (world.sync().status, world.applies) == ("differs", [])


def test_the_oldest_come_first_and_two_at_a_time(context: Context) -> None:
    stacks = "".join(f'[stack.{name}]\nroot = "{name}"\n' for name in "abc")
    world = Syncing(context, f'{stacks}[env.staging]\non_merge = "sync"\n')
    world.sweep()
    world.moved = ["a/x.tf", "b/x.tf", "c/x.tf"]
    world.merge(7, TWO, told=False)
    targets = [Target("acme/infra", name, "staging") for name in "abc"]
    with context.store.begin() as tables:  # c is behind since an older merge
        old = tables.syncs.newest(targets[2])
        assert old is not None
    world.merge(6, ONE, told=False)
    world.tip = TWO
    changed = world.changed
    paths = {6: ["c/x.tf"], 7: ["a/x.tf", "b/x.tf", "c/x.tf"]}
    heads = {6: "6" * 40, 7: "7" * 40}
    for number in (6, 7):
        world.pulls[number] = replace(world.pulls[number], head_sha=heads[number])
    by_head = {heads[number]: paths[number] for number in paths}
    world.changed = lambda name, base, head: by_head.get(head) or changed(name, base, head)  # type: ignore[method-assign]
    world.sweep()
    assert [run.target.stack for run in world.enqueued] == ["c", "a"]
    world.sweep()
    assert len(world.enqueued) == 2, "the others wait for these"
    with context.store.begin() as tables:
        for run in world.enqueued:
            tables.runs.move(run.id, ACTIVE, "finished", outcome="failed")
    world.sweep()
    assert [run.target.stack for run in world.enqueued] == ["c", "a", "b"]
    assert {one.stack: world.sync(one).pulls for one in targets} == {"a": (7,), "b": (7,), "c": (6, 7)}


def test_a_plan_that_was_made_as_the_worker_died(world: Syncing, clock: Clock) -> None:
    world.planned = ("a",)
    world.merge()
    (run,) = world.enqueued
    world.enqueued.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execute, "conclude", lambda *_facts: None)
        execute.execute_sync(world.context, run.id)
    assert world.sync().status == "planning"
    clock.at += timedelta(minutes=2)
    world.sweep()
    assert world.sync().status == "differs"


def test_an_approval_that_ended_is_not_waited_for(context: Context) -> None:
    world = Syncing(context, f"{APPLY}approvals = {{ count = 1 }}\n")
    world.planned = ("a",)
    world.merge()
    world.work()
    assert world.sync().status == "approval"
    with context.store.begin() as tables:
        (approval,) = tables.approvals.all_live()
        tables.approvals.end(approval.id, "rejected", "no", world.context.now())
    world.sweep()
    assert (world.sync().status, world.sync().message) == ("differs", "The approval has ended.")


def test_nothing_is_asked_where_no_environment_is_synced(context: Context) -> None:
    world = Syncing(context, SYNC.replace('on_merge = "sync"\n', ""))
    world.merge(told=False)
    world.sweep()
    assert (world.syncs(STAGING), world.asked_for_merged) == ([], 0)


def test_an_approval_that_became_void_is_requested_for_a_new_plan(context: Context) -> None:
    """The state moved while people were asked."""
    world = Syncing(context, f"{APPLY}approvals = {{ count = 1 }}\n")
    world.planned = ("a",)
    world.merge()
    world.work()
    first = world.sync()
    with context.store.begin() as tables:
        (approval,) = tables.approvals.all_live()
        tables.approvals.end(approval.id, "dead", "the state there has changed since its plan", context.now())
        data = state(4)
        tables.states.append(STAGING.key, data, StateInfo.parse(data), Author("", ONE, "bob"))
    world.sweep()
    world.work()
    assert [one.status for one in world.syncs()] == ["superseded", "approval"]
    with context.store.read() as tables:
        (approval,) = tables.approvals.all_live()
    assert approval.run_id == world.sync().id != first.id


def test_plans_are_made_when_their_freeze_is_over(context: Context, clock: Clock) -> None:
    freeze = 'freeze = [{ deny = "0 4 * * *", for = "1h", actions = ["plan"] }]\n'
    world = Syncing(context, SYNC + freeze)
    world.sweep()
    clock.at += timedelta(hours=1)
    world.merge()
    world.sweep()
    assert world.enqueued == []
    clock.at += timedelta(hours=1)
    world.sweep()
    assert [(run.commit, run.pull) for run in world.enqueued] == [(ONE, 7)]


def test_an_apply_that_was_refused_as_it_started_is_tried_again_unless_main_moved(context: Context) -> None:
    world = Syncing(context, APPLY)
    world.reviewed(7, "a")
    world.planned = ("a",)
    world.merge()
    world.work()
    (apply,) = world.applies
    finish_run(context, apply, RunEnd("refused", message="staging is frozen."))
    assert world.sync().status == "waiting"
    world.sweep()
    assert len(world.applies) == 2, "another run of the same plan"
    finish_run(context, world.applies[1], RunEnd("refused", message="staging is frozen."))
    world.moved = ["infra/main.tf"]
    world.merge(8, TWO)
    world.sweep()
    assert [one.status for one in world.syncs()] == ["superseded", "planning"]
    assert len(world.applies) == 2
