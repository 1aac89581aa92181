"""Each gate alone: what it lets pass, what it refuses, and that a refusal names the next step."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.domain.actors import Actor
from bot.domain.gates import APPLY, ApplyFacts, Gate, first_refusal, refuse_locked, refuse_role
from bot.domain.gates.apply import (
    NotClaimed,
    NotHeld,
    PlanIsCurrent,
    PlanWasRead,
    PullIsOpen,
    StateIsFree,
    StateIsSaved,
)
from bot.domain.hold import Hold
from bot.domain.lock import Lock
from bot.domain.policy.model import Environment
from bot.domain.refusal import Allowed, Refused
from bot.domain.states.model import LockInfo
from bot.domain.states.unsaved import Unsaved
from bot.domain.target import Target, command
from tests.integration.storage import samples
from tests.unit.services.conftest import NOW

STAGING = Target("acme/infra", "infra", "staging")
NETWORK = Target("acme/infra", "network", "staging")
ENGINE = "terraform 1.11.4"


def facts(**more: Any) -> ApplyFacts:
    """Facts that every gate lets pass."""
    given: dict[str, Any] = {
        "pull": samples.pull(),
        "target": STAGING,
        "environment": Environment("staging"),
        "plan": samples.plan(
            target=STAGING, commit="a" * 40, engine=ENGINE, policy="p", serial=3, lineage="l", created_at=NOW
        ),
        "lock": None,
        "now": NOW,
        "engine": ENGINE,
        "policy": "p",
        "state": ("l", 3),
    }
    return ApplyFacts(**given | more)


def changed_plan(**more: Any) -> ApplyFacts:
    whole = facts()
    assert whole.plan is not None
    return replace(whole, plan=replace(whole.plan, **more))


def lock(**more: Any) -> Lock:
    given: dict[str, Any] = {"target": STAGING, "actor": Actor("bob"), "created_at": NOW, "pull": 0}
    return Lock(**given | more)


def refused_by(gate: Gate, found: ApplyFacts) -> Refused:
    answer = gate.check(found)
    assert isinstance(answer, Refused)
    assert answer.fact.endswith(".")
    assert answer.next_step
    assert first_refusal(APPLY, found) == answer, "no gate before it minds"
    return answer


def test_all_let_a_sound_apply_pass() -> None:
    assert first_refusal(APPLY, facts()) is None
    assert all(isinstance(gate.check(facts()), Allowed) for gate in APPLY)


def test_the_ground_names_the_plan() -> None:
    plan = facts().plan
    assert plan is not None
    assert PlanWasRead().check(facts()) == Allowed(f"plan {plan.digest[:12]} for aaaaaaa")


@pytest.mark.parametrize("state", ["closed", "merged"])
def test_only_open_pull_requests_apply(state: str) -> None:
    refusal = refused_by(PullIsOpen(), facts(pull=samples.pull(state=state)))
    assert refusal.code == "closed"
    assert refusal.fact == f"#7 is {state}."


def test_a_merge_that_asks_for_its_apply_passes() -> None:
    assert PullIsOpen().check(facts(pull=samples.pull(state="merged"), merged=True)) == Allowed()
    assert refused_by(PullIsOpen(), facts(pull=samples.pull(state="closed"), merged=True)).code == "closed"


@pytest.mark.parametrize(
    "held",
    [None, lock(pull=7), lock(pull=8, expires_at=NOW), lock(expires_at=NOW - timedelta(seconds=1))],
    ids=["free", "ours", "expires now", "expired"],
)
def test_a_free_target_and_ones_own_claim_pass(held: Lock | None) -> None:
    assert NotClaimed().check(facts(lock=held)) == Allowed()


def test_another_pull_requests_claim_refuses() -> None:
    url = "https://example.com/pull/8"
    refusal = refused_by(NotClaimed(), facts(lock=lock(pull=8, url=url)))
    assert refusal.code == "locked"
    assert f"[#8]({url}) (@bob)" in refusal.fact
    assert "since 2030-01-02 03:04 UTC" in refusal.fact
    assert "`/unlock staging`" in refusal.next_step
    assert "It is released when #8 is merged or closed" in refusal.next_step


def test_a_lock_by_hand_refuses_everybody() -> None:
    held = lock(reason="load test", expires_at=NOW + timedelta(hours=1))
    refusal = refused_by(NotClaimed(), facts(lock=held))
    assert refusal.fact == (
        "staging is locked by @bob since 2030-01-02 03:04 UTC, until 2030-01-02 04:04 UTC: load test."
    )
    assert refusal.next_step == "@bob or a maintainer can run `/unlock staging`."


def test_a_reason_cannot_speak_for_the_bot() -> None:
    refusal = refuse_locked(lock(reason="`/apply prod`\n\n# [free](http://evil) <@U1>"), STAGING)
    assert "`/apply" not in refusal.fact
    assert "](" not in refusal.fact
    assert "<@" not in refusal.fact
    assert "\n" not in refusal.fact


def test_a_hold_keeps_out_reverts_too() -> None:
    held = Hold(STAGING, "r1", "d" * 40, "b" * 40, "run", 7, Actor("bob"), NOW)
    refusal = refused_by(NotHeld(), facts(hold=held))
    assert refusal.code == "held"
    assert "and #7 contains the reverted commit `bbbbbbb`" in refusal.fact
    assert refusal.next_step == "Remove that commit from the branch and push, or run `/unhold staging`."
    refusal = refused_by(NotHeld(), replace(changed_plan(reverts="r2"), hold=held))
    assert refusal.code == "held"
    assert "this revert goes to a release that contains the reverted commit `bbbbbbb`" in refusal.fact
    assert refusal.next_step == "Run `/unhold staging`, then `/revert staging`."


def test_without_a_plan_there_is_nothing_to_apply() -> None:
    refusal = refused_by(PlanWasRead(), facts(plan=None))
    assert (refusal.code, refusal.next_step) == ("no-plan", "`/plan staging`")


def test_a_plan_of_another_head_is_refused() -> None:
    refusal = refused_by(PlanWasRead(), changed_plan(commit="c" * 40))
    assert refusal.code == "head-moved"
    assert "`ccccccc`" in refusal.fact
    assert "`aaaaaaa`" in refusal.fact
    assert "`/plan staging`" in refusal.next_step
    assert "`/apply staging`" in refusal.next_step


@pytest.mark.parametrize("later", [1, 2, 60], ids="{} s later".format)
def test_a_plan_that_was_shown_before_the_request_passes(later: int) -> None:
    asked = facts(requested_at=NOW + timedelta(seconds=later), visible_since=NOW)
    assert isinstance(PlanWasRead().check(asked), Allowed)


@pytest.mark.parametrize(
    "shown",
    [NOW + timedelta(seconds=1), NOW, NOW + timedelta(microseconds=999_999), None],
    ids=["later", "then", "in the same second", "never"],
)
def test_a_plan_that_was_not_shown_before_the_request_is_refused(shown: datetime | None) -> None:
    """NOW is a whole second, as GitHub's times are."""
    refusal = refused_by(PlanWasRead(), facts(requested_at=NOW, visible_since=shown))
    assert refusal.code == "unread"
    assert refusal.fact == (
        "The plan for staging at `aaaaaaa` was published after this was written, so whoever wrote it cannot have read the "
        "plan."
    )
    assert refusal.next_step == "Review it, then run `/apply staging aaaaaaa`."


@pytest.mark.parametrize("earlier", [0, 0.9, 1], ids="pushed {} s earlier".format)
def test_in_the_second_in_which_the_plan_appeared_the_commit_must_be_older(earlier: float) -> None:
    """A script comments as soon as it sees a plan; NOW is a whole second."""
    written, pushed = NOW + timedelta(seconds=1), NOW + timedelta(seconds=1.9 - earlier)
    asked = facts(requested_at=written, visible_since=written, pushed_at=pushed)
    assert isinstance(PlanWasRead().check(asked), Allowed) == (earlier == 1)


def test_a_request_that_no_person_made_needs_no_reader() -> None:
    assert isinstance(PlanWasRead().check(facts(requested_at=None)), Allowed)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("superseded", "was replaced by a newer one"),
        ("applying", "is being applied"),
        ("applied", "was already applied"),
        ("failed", "was used by an apply that failed"),
        ("discarded", "was discarded after the pull request was closed"),
    ],
)
def test_a_plan_is_used_once(status: str, reason: str) -> None:
    refusal = refused_by(PlanWasRead(), changed_plan(status=status))
    assert refusal.code == "spent"
    assert refusal.fact == f"The plan for staging {reason}."
    assert refusal.next_step == "Run `/plan staging`, review the plan, then run `/apply staging`."


def test_a_moved_base_is_refused_only_under_this_stack() -> None:
    paths = [f"infra/{number}.tf" for number in range(5)]
    refusal = refused_by(PlanIsCurrent(), facts(base_changes=paths))
    assert refusal.code == "base-moved"
    assert "`infra/2.tf`…" in refusal.fact
    assert "infra/3.tf" not in refusal.fact
    assert refusal.next_step.startswith("Merge `main` into it and push")


@pytest.mark.parametrize(
    ("changed", "code", "says"),
    [
        ({"policy": "other"}, "policy-changed", "changed since this plan was made"),
        (
            {"engine": "opentofu 1.9.0"},
            "engine-changed",
            f"made by {ENGINE}, but opentofu 1.9.0 is in use now",
        ),
        ({"now": NOW + timedelta(hours=24, seconds=1)}, "too-old", "older than 24 h"),
        ({"state": ("l", 4)}, "state-moved", "now serial 4"),
        ({"state": ("other", 3)}, "state-moved", "now serial 3"),
        ({"state": ("", 0)}, "state-moved", "now serial 0"),
    ],
)
def test_what_a_plan_stood_on_must_not_move(changed: dict[str, Any], code: str, says: str) -> None:
    refusal = refused_by(PlanIsCurrent(), facts(**changed))
    assert refusal.code == code
    assert says in refusal.fact
    assert refusal.next_step == "`/plan staging`"


def test_a_plan_lives_as_long_as_its_environment_says() -> None:
    short = facts(environment=Environment("staging", plan_expires=timedelta(minutes=30)))
    assert PlanIsCurrent().check(replace(short, now=NOW + timedelta(minutes=30))) == Allowed()
    refusal = refused_by(PlanIsCurrent(), replace(short, now=NOW + timedelta(minutes=31)))
    assert "older than 0.5 h" in refusal.fact


def test_where_only_terraform_can_compare_the_state_it_is_left_to_it() -> None:
    assert PlanIsCurrent().check(facts(state=None)) == Allowed()


def test_the_first_no_is_the_answer() -> None:
    everything = facts(pull=samples.pull(state="closed"), lock=lock(), plan=None, base_changes=["x"])
    answer = first_refusal(APPLY, everything)
    assert answer is not None
    assert answer.code == "closed"


def test_the_stack_is_named_where_it_is_not_the_only_one() -> None:
    assert command("apply", STAGING) == "/apply staging"
    assert command("apply", NETWORK) == "/apply staging network"
    refusal = refused_by(PlanWasRead(), facts(target=NETWORK, plan=None))
    assert refusal.next_step == "`/plan staging network`"


def test_roles_reach_upwards() -> None:
    assert refuse_role("write", "write", "apply") is None
    assert refuse_role("admin", "write", "apply") is None
    refusal = refuse_role("read", "write", "apply")
    assert refusal is not None
    assert refusal.fact == "To apply, you need the `write` role on the repository; you have the `read` role."
    stranger = refuse_role("none", "read", "look")
    assert stranger is not None
    assert "you have no access to this repository" in stranger.fact


def test_a_locked_state() -> None:
    held = LockInfo("4711", "OperationTypeApply", who="bob@laptop", created="2026-11-23T10:00:00Z")
    refusal = refused_by(StateIsFree(), facts(state_lock=held))
    assert refusal.code == "state-locked"
    for word in ("bob@laptop", "(apply)", "2026-11-23 10:00 UTC", "4711"):
        assert word in refusal.fact
    assert "`/unlock staging`" in refusal.next_step


def test_a_state_that_waits_to_be_pushed() -> None:
    kept = Unsaved(
        "u",
        STAGING,
        "r1",
        7,
        "c",
        "ann",
        "l",
        4,
        "s",
        9,
        plan_serial=3,
        base_known=True,
        base_sha256="b",
        created_at=NOW,
    )
    refusal = refused_by(StateIsSaved(), facts(unsaved=kept))
    assert "#7" in refusal.fact
    assert refusal.next_step.startswith("Run `/push-state staging`")
