"""After a merge: one sync for each target and commit of main, and what it leads to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.run import Origin
from bot.domain.sync import Sync
from bot.domain.target import Target
from bot.errors import UserError
from bot.services.applies import end_failed_run
from bot.services.context import Context
from bot.services.promotion import configuration_digest_of
from bot.services.runs import RunEnd, finish_run
from bot.services.sync import execute_sync, plan_main
from tests.integration.storage import samples
from tests.unit.services.conftest import NOW, Clock
from tests.unit.services.syncs import APPLY, ONE, SYNC, TWO, Syncing
from tests.unit.services.world import ANN, HEAD, PROD, STACK, STAGING


@pytest.fixture
def world(context: Context) -> Syncing:
    """staging is compared with main after a merge."""
    return Syncing(context)


@pytest.fixture
def applying(context: Context) -> Syncing:
    """staging gets main after a merge. ann's #7 and bob's #8 are planned and shown."""
    made = Syncing(context, APPLY)
    for number, name in ((7, "a"), (8, "b")):
        made.open_pull(number)
        made.reviewed(number, name)
    return made


def of(sync: Sync) -> tuple[str, str, tuple[int, ...]]:
    return sync.commit[:1], sync.status, sync.pulls


def test_the_same_merge_is_synced_once_however_often_it_is_told(world: Syncing) -> None:
    world.merge()
    world.tell_merged()
    assert [(run.kind, run.commit, run.pull) for run in world.enqueued] == [("sync", ONE, 7)]
    world.work()
    world.tell_merged()
    assert world.enqueued == []
    assert [of(one) for one in world.syncs()] == [("1", "in_sync", (7,))]


@pytest.mark.parametrize(
    "more", [{"base_ref": "release"}, {"state": "closed"}], ids=["another branch", "closed without a merge"]
)
def test_nothing_else_is_synced(world: Syncing, more: dict[str, Any]) -> None:
    world.merge(told=False)
    world.pulls[7] = replace(world.pulls[7], **more)
    world.tell_merged()
    assert world.syncs() == []


def test_a_pull_request_that_does_not_touch_the_stack_is_not_synced(world: Syncing) -> None:
    world.moved = ["README.md"]
    world.merge()
    assert world.syncs() == []


def test_of_several_merges_only_the_newest_commit_is_planned_and_speaks_for_all(world: Syncing) -> None:
    world.merge(7, ONE)
    world.merge(8, TWO)
    world.work()
    assert world.calls.count("init") == 1
    assert [of(one) for one in world.syncs()] == [("1", "superseded", (7,)), ("2", "in_sync", (7, 8))]
    first = world.run(world.syncs()[0].id)
    assert (first.phase, first.outcome, first.superseded_by) == ("finished", "superseded", world.sync().id)


def test_two_merges_that_are_told_together_share_a_sync(world: Syncing) -> None:
    world.merge(7, ONE, told=False)
    world.merge(8, TWO, told=False)
    world.tell_merged(7)
    world.work()
    world.tell_merged(8)
    assert [of(one) for one in world.syncs()] == [("2", "in_sync", (8, 7))]
    assert {"status:acme/infra#7", "card:acme/infra#7"} <= world.due(7)


def test_in_sync_is_recorded_and_leaves_nothing_to_apply(world: Syncing) -> None:
    world.merge()
    world.work()
    assert world.actions == ["sync.asked", "sync.in_sync"]
    assert world.plan_status(world.sync().id) == "superseded"
    assert not world.sync().news


def test_a_difference_is_news_once(world: Syncing) -> None:
    world.planned = ("a",)
    world.merge(7, ONE)
    world.work()
    world.merge(8, TWO)
    world.work()
    first, second = world.syncs()
    assert (second.status, second.digest, second.pulls) == ("differs", first.digest, (7, 8))
    assert (first.news, second.news) == (True, False)
    assert world.plan_status(first.id) == "superseded"
    assert world.applies == [], "nothing is applied by itself"


def test_a_difference_is_news_again_after_it_was_gone(world: Syncing) -> None:
    for commit, number, planned in ((ONE, 7, ("a",)), (TWO, 8, ()), ("3" * 40, 9, ("a",))):
        world.planned = planned
        world.merge(number, commit)
        world.work()
    assert [(one.status, one.news) for one in world.syncs()] == [
        ("superseded", True),
        ("in_sync", False),
        ("differs", True),
    ]


def test_what_was_reviewed_is_applied_by_itself(applying: Syncing) -> None:
    applying.planned = ("a",)
    applying.merge()
    applying.work()
    (apply,) = applying.applies
    assert (apply.actor.via, apply.commit, apply.plan_id) == ("system", ONE, applying.sync().id)
    assert (applying.sync().status, apply.sync) == ("applying", applying.sync().id)
    lock = applying.lock_of()
    assert lock is not None
    assert lock.pull == 7


def test_what_was_made_already_need_not_be_planned(applying: Syncing) -> None:
    applying.reviewed(7, "a", "b")
    applying.planned = ("b",)
    applying.merge()
    applying.work()
    assert len(applying.applies) == 1


def test_what_two_pull_requests_reviewed_is_applied_together(applying: Syncing) -> None:
    applying.planned = ("a", "b")
    applying.merge(7, ONE)
    applying.merge(8, TWO)
    applying.work()
    assert [run.commit for run in applying.applies] == [TWO]


def test_the_second_of_two_merges_may_be_told_after_the_plan(applying: Syncing) -> None:
    applying.planned = ("a", "b")
    applying.merge(7, ONE, told=False)
    applying.merge(8, TWO, told=False)
    applying.tell_merged(7)
    applying.work()
    assert (applying.sync().status, applying.applies) == ("differs", [])
    applying.tell_merged(8)
    assert (applying.sync().status, len(applying.applies)) == ("applying", 1)


@pytest.mark.parametrize(
    ("planned", "review"),
    [
        (("a", "c"), {}),
        (("a",), {"published_at": None}),
        (("a",), {"published_at": NOW + timedelta(hours=1)}),
        (("a",), {"commit": "f" * 40}),
        (("a",), {"reverts": "e1"}),
    ],
    ids=["other changes", "never shown", "shown after the merge", "an older commit", "a revert"],
)
def test_what_nobody_reviewed_is_reported(
    context: Context, planned: tuple[str, ...], review: dict[str, Any]
) -> None:
    world = Syncing(context, APPLY)
    world.reviewed(7, "a", **review)
    world.planned = planned
    world.merge()
    world.work()
    assert world.applies == []
    assert world.sync().status == "differs"
    assert "It makes other changes in staging than the plan that was shown in #7" in world.sync().message


def test_an_approval_is_a_review_too_and_whoever_merged_may_give_it(context: Context) -> None:
    """A plan that nobody saw before is approved by people who did not write it."""
    world = Syncing(context, f"{APPLY}approvals = {{ count = 1 }}\n")
    world.planned = ("c",)
    world.merge()
    world.work()
    assert (world.sync().status, world.applies) == ("approval", [])
    with context.store.read() as tables:
        (approval,) = tables.approvals.all_live()
    assert (approval.commit, approval.run_id, approval.sync) == (ONE, world.sync().id, world.sync().id)
    assert (approval.when_approved, approval.excluded) == (True, ("ann",))


def test_a_sync_waits_for_an_apply_and_is_planned_after_it(world: Syncing) -> None:
    apply = world.keep_run("r1", pull=8, phase="applying")
    world.merge()
    assert (world.enqueued, world.run(world.sync().id).waits_for) == ([], "r1")
    finish_run(world.context, apply, RunEnd("failed"))
    assert [run.kind for run in world.enqueued] == ["sync"]


def test_an_apply_in_between_makes_the_plan_worthless(world: Syncing) -> None:
    world.on_plan = lambda: world.keep_run("r1", pull=8, phase="applying")
    world.planned = ("a",)
    world.merge()
    (run,) = world.enqueued
    execute_sync(world.context, run.id)
    first, second = world.syncs()
    assert (first.status, second.status, second.pulls) == ("superseded", "planning", (7,))
    assert world.run(second.id).waits_for == "r1"


def test_a_missing_var_file_stops_one_environment_only(context: Context) -> None:
    policy = f'{SYNC}[env.qa]\non_merge = "sync"\nvar_files = ["envs/qa.tfvars"]\n'
    world = Syncing(context, policy)
    world.merge()
    qa = Target("acme/infra", "infra", "qa")
    for run in list(world.enqueued):
        world.enqueued.remove(run)
        try:
            execute_sync(world.context, run.id)
        except UserError as error:
            end_failed_run(world.context, run.id, error, "")
    assert (world.sync(STAGING).status, world.sync(qa).status) == ("in_sync", "failed")
    assert "`envs/qa.tfvars` is missing at this commit" in world.sync(qa).message


def test_production_waits_for_staging_and_goes_on_by_itself(context: Context, clock: Clock) -> None:
    """A lock, and then a release of staging that has other files, are waited for; nobody is asked to apply again."""
    policy = f'{STACK}[env.staging]\n[env.prod]\npromote_from = "staging"\non_merge = "apply"\napprovals = {{ count = 0 }}\n'
    world = Syncing(context, policy)
    world.reviewed(7, "a", target=PROD)
    world.planned = ("a",)
    world.merge()
    world.take_lock(8, PROD)
    world.work()
    assert (world.sync(PROD).status, world.applies) == ("waiting", [])
    assert "locked: #8" in world.sync(PROD).message
    with context.store.begin() as tables:
        tables.locks.release(PROD)
    world.sweep()
    assert (world.sync(PROD).status, world.applies) == ("waiting", [])
    assert "Nothing verified on staging yet" in world.sync(PROD).message
    refused = world.actions.count("apply.refused")
    world.sweep()
    assert world.actions.count("apply.refused") == refused, "nothing changed, so nothing is asked again"
    same = configuration_digest_of(world.context, "acme/infra", ONE, world.policy, "infra")
    with context.store.begin() as tables:
        release = replace(samples.release("e1", STAGING), commit=HEAD, serial=0, configuration=same)
        tables.releases.add(release)
    world.sweep()
    (apply,) = world.applies
    assert (apply.target, apply.commit) == (PROD, ONE), "the merge has the very files that staging verified"


def test_a_plan_of_main_by_command(world: Syncing) -> None:
    world.planned = ("a",)
    world.merge()
    world.work()
    pull_context = replace(world.pull_context(), base_tip=ONE)
    started = plan_main(world.context, pull_context, [STAGING], ANN, Origin("d5"))
    assert [(run.kind, run.commit, run.actor.login) for run in started.runs] == [("sync", ONE, "ann")]
    again = plan_main(world.context, pull_context, [STAGING], ANN, Origin("d5"))
    assert [run.id for run in again.runs] == [run.id for run in started.runs]
    world.work()
    first, second = world.syncs()
    assert (first.status, second.status, second.news) == ("superseded", "differs", False)
