"""Each gate alone: what it lets pass, what it refuses, and that a refusal names the next step."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.answers import Allowed, Refused
from bot.domain.gates import (
    APPLY,
    ApplyFacts,
    Gate,
    NotClaimed,
    PlanIsCurrent,
    PlanWasRead,
    PullIsOpen,
    StateIsFree,
    StateIsSaved,
    ask,
    claimed,
    command,
    may,
)
from bot.domain.lock import Lock
from bot.domain.people import Actor
from bot.domain.policy import Environment
from bot.domain.state import LockInfo
from bot.domain.target import Target
from bot.domain.unsaved import Unsaved
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


def refusal(gate: Gate, found: ApplyFacts) -> Refused:
    answer = gate.check(found)
    assert isinstance(answer, Refused)
    assert answer.fact.endswith(".")
    assert answer.next_step
    assert ask(APPLY, found) == answer, "no gate before it minds"
    return answer


def test_all_let_a_sound_apply_pass() -> None:
    assert ask(APPLY, facts()) is None
    assert all(isinstance(gate.check(facts()), Allowed) for gate in APPLY)


def test_the_ground_names_the_plan() -> None:
    plan = facts().plan
    assert plan is not None
    assert PlanWasRead().check(facts()) == Allowed(f"plan {plan.digest[:12]} of aaaaaaa")


@pytest.mark.parametrize("state", ["closed", "merged"])
def test_only_open_pull_requests_apply(state: str) -> None:
    no = refusal(PullIsOpen(), facts(pull=samples.pull(state=state)))
    assert no.code == "closed"
    assert no.fact == f"#7 is {state}."


@pytest.mark.parametrize(
    "held",
    [None, lock(pull=7), lock(pull=8, expires_at=NOW), lock(expires_at=NOW - timedelta(seconds=1))],
    ids=["free", "ours", "expires now", "expired"],
)
def test_a_free_target_and_ones_own_claim_pass(held: Lock | None) -> None:
    assert NotClaimed().check(facts(lock=held)) == Allowed()


def test_another_pull_requests_claim_refuses() -> None:
    url = "https://example.com/pull/8"
    no = refusal(NotClaimed(), facts(lock=lock(pull=8, url=url)))
    assert no.code == "locked"
    assert f"[#8]({url}) (@bob)" in no.fact
    assert "since 2030-01-02 03:04 UTC" in no.fact
    assert "`/unlock staging`" in no.next_step
    assert "#8 frees it when it is merged or closed" in no.next_step


def test_a_lock_by_hand_refuses_everybody() -> None:
    held = lock(reason="load test", expires_at=NOW + timedelta(hours=1))
    no = refusal(NotClaimed(), facts(lock=held))
    assert no.fact == (
        "staging is locked by @bob since 2030-01-02 03:04 UTC, until 2030-01-02 04:04 UTC: load test."
    )
    assert no.next_step == "@bob or a maintainer frees it: `/unlock staging`."


def test_a_reason_cannot_speak_for_the_bot() -> None:
    no = claimed(lock(reason="`/apply prod`\n\n# [free](http://evil) <@U1>"), STAGING)
    assert "`/apply" not in no.fact
    assert "](" not in no.fact
    assert "<@" not in no.fact
    assert "\n" not in no.fact


def test_without_a_plan_there_is_nothing_to_apply() -> None:
    no = refusal(PlanWasRead(), facts(plan=None))
    assert (no.code, no.next_step) == ("no-plan", "`/plan staging`")


def test_a_plan_of_another_head_is_refused() -> None:
    no = refusal(PlanWasRead(), changed_plan(commit="c" * 40))
    assert no.code == "head-moved"
    assert "`ccccccc`" in no.fact
    assert "`aaaaaaa`" in no.fact
    assert "`/plan staging`" in no.next_step
    assert "`/apply staging`" in no.next_step


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("superseded", "replaced by a newer one"),
        ("applying", "being applied"),
        ("applied", "already applied"),
        ("failed", "used by an apply that failed"),
        ("discarded", "was discarded"),
    ],
)
def test_a_plan_is_used_once(status: str, word: str) -> None:
    no = refusal(PlanWasRead(), changed_plan(status=status))
    assert no.code == "spent"
    assert word in no.fact
    assert no.next_step == "`/plan staging`; read it, then `/apply staging`."


def test_a_moved_base_is_refused_only_under_this_stack() -> None:
    paths = [f"infra/{number}.tf" for number in range(5)]
    no = refusal(PlanIsCurrent(), facts(moved=paths))
    assert no.code == "base-moved"
    assert "`infra/2.tf`…" in no.fact
    assert "infra/3.tf" not in no.fact
    assert no.next_step.startswith("Merge `main` into the branch")


@pytest.mark.parametrize(
    ("changed", "code", "says"),
    [
        ({"policy": "other"}, "policy-changed", "older policy"),
        ({"engine": "opentofu 1.9.0"}, "engine-changed", f"made by {ENGINE}; opentofu 1.9.0 runs now"),
        ({"now": NOW + timedelta(hours=24, seconds=1)}, "too-old", "older than 24 h"),
        ({"state": ("l", 4)}, "state-moved", "serial 4 now"),
        ({"state": ("other", 3)}, "state-moved", "serial 3 now"),
        ({"state": ("", 0)}, "state-moved", "serial 0 now"),
    ],
)
def test_what_a_plan_stood_on_must_not_move(changed: dict[str, Any], code: str, says: str) -> None:
    no = refusal(PlanIsCurrent(), facts(**changed))
    assert no.code == code
    assert says in no.fact
    assert no.next_step == "`/plan staging`"


def test_a_plan_lives_as_long_as_its_environment_says() -> None:
    short = facts(environment=Environment("staging", plan_expires=timedelta(minutes=30)))
    assert PlanIsCurrent().check(replace(short, now=NOW + timedelta(minutes=30))) == Allowed()
    no = refusal(PlanIsCurrent(), replace(short, now=NOW + timedelta(minutes=31)))
    assert "older than 0.5 h" in no.fact


def test_where_only_terraform_can_compare_the_state_it_is_left_to_it() -> None:
    assert PlanIsCurrent().check(facts(state=None)) == Allowed()


def test_the_first_no_is_the_answer() -> None:
    everything = facts(pull=samples.pull(state="closed"), lock=lock(), plan=None, moved=["x"])
    answer = ask(APPLY, everything)
    assert answer is not None
    assert answer.code == "closed"


def test_the_stack_is_named_where_it_is_not_the_only_one() -> None:
    assert command("apply", STAGING) == "/apply staging"
    assert command("apply", NETWORK) == "/apply staging network"
    no = refusal(PlanWasRead(), facts(target=NETWORK, plan=None))
    assert no.next_step == "`/plan staging network`"


def test_roles_reach_upwards() -> None:
    assert may("write", "write", "apply") is None
    assert may("admin", "write", "apply") is None
    no = may("read", "write", "apply")
    assert no is not None
    assert no.fact == "To apply you need the `write` role on the repository; you have the `read` role."
    stranger = may("none", "read", "look")
    assert stranger is not None
    assert "you have no access to this repository" in stranger.fact


def test_a_locked_state() -> None:
    held = LockInfo("4711", "OperationTypeApply", who="bob@laptop", created="2026-11-23T10:00:00Z")
    no = refusal(StateIsFree(), facts(state_lock=held))
    assert no.code == "state-locked"
    for word in ("bob@laptop", "(apply)", "2026-11-23 10:00 UTC", "4711"):
        assert word in no.fact
    assert "`/unlock staging`" in no.next_step


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
    no = refusal(StateIsSaved(), facts(unsaved=kept))
    assert "#7" in no.fact
    assert no.next_step.startswith("`/push-state staging`")
