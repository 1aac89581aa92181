"""A gate's check: its title, its answers, and what comes next."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.approvals import Approval, ApprovalState, Decision, Missing
from bot.domain.chat import Status, TargetStatus
from bot.domain.plans import PlanSummary
from bot.domain.policy.freeze_windows import Frozen
from bot.domain.policy.model import Environment
from bot.domain.ports.records import FollowUp
from bot.domain.refusal import GateAnswer, Refused
from bot.domain.release import Release
from bot.domain.run import Origin
from bot.render import surfaces
from bot.render.documents.gate_state import gate_state, worst_state
from tests.unit.render.facts import ANN, BOB, HEAD, NASTY, NOW, PULL, REPOSITORY, plan, run, target
from tests.unit.render.limits import assert_harmless

PROD = target("prod")
ENVIRONMENT = Environment("prod", promote_from="staging", production=True)
BARE = TargetStatus(PROD, ENVIRONMENT, 12)
READY = replace(BARE, plan=plan(PROD))
QUIET = plan(PROD, PlanSummary())
DONE = plan(PROD, status="applied")


def approval(**more: Any) -> Approval:
    facts: dict[str, Any] = {"created_at": NOW, "expires_at": NOW + timedelta(hours=24), "count": 2}
    return Approval("a", PROD, 12, "run-prod", "d" * 64, HEAD, ANN, Origin(), **facts | more)


def release(**more: Any) -> Release:
    return Release("r", PROD, "run", DONE.digest, HEAD, 12, ANN, 5, NOW, **more)


def shown(*rows: TargetStatus, notes: tuple[str, ...] = ()) -> tuple[str, str]:
    return surfaces.gate("prod", rows, Status(REPOSITORY, rows, PULL, notes, NOW))


@pytest.mark.parametrize(
    ("row", "state", "title"),
    [
        (BARE, "blocked", "prod: not applied yet: there is no plan for 1a2b3c4"),
        (
            replace(READY, plan=plan(PROD, commit="0" * 40)),
            "blocked",
            "prod: not applied yet: there is no plan for",
        ),
        (READY, "blocked", "prod: not applied yet"),
        (replace(READY, stale="the state moved"), "blocked", "prod: the state moved"),
        (
            replace(READY, blocked=Refused("frozen", "`prod` is frozen until noon.", "")),
            "blocked",
            "prod: prod is frozen until noon.",
        ),
        (
            replace(READY, run=run(PROD, kind="apply", outcome="failed")),
            "blocked",
            "prod: apply failed",
        ),
        (replace(BARE, plan=QUIET), "done", "prod: no changes"),
        (replace(BARE, plan=QUIET, stale="the state moved"), "blocked", "prod: the state moved"),
        (
            replace(BARE, plan=QUIET, approval_state=ApprovalState(approval())),
            "blocked",
            "prod: not applied yet",
        ),
        (
            replace(BARE, plan=QUIET, run=run(PROD, phase="planning", outcome=None)),
            "blocked",
            "prod: not applied",
        ),
        (replace(BARE, plan=DONE), "done", "prod: applied"),
        (replace(BARE, plan=DONE, release=release(verification="passed")), "done", "prod: applied"),
        (
            replace(BARE, plan=DONE, release=release(verification="running")),
            "applying",
            "prod: smoke checks running",
        ),
        (
            replace(
                BARE,
                plan=DONE,
                release=release(verification="failed", checks=({"name": "healthz", "ok": False},)),
            ),
            "failed",
            "prod: applied, but smoke check healthz failed",
        ),
        (
            replace(READY, active_run=run(PROD, kind="apply", phase="applying", outcome=None)),
            "applying",
            "prod: applying",
        ),
        (
            replace(READY, active_run=run(PROD, kind="apply", phase="verifying", outcome=None)),
            "applying",
            "prod: smoke checks running",
        ),
        (
            replace(READY, active_run=run(PROD, kind="apply", phase="applying", outcome=None, pull=9)),
            "blocked",
            "prod: not applied yet",
        ),
    ],
)
def test_state_and_title(row: TargetStatus, state: str, title: str) -> None:
    assert gate_state(row, HEAD) == state
    said, summary = shown(row)
    assert said.startswith(title)
    assert summary


def test_a_pull_request_that_touches_nothing() -> None:
    title, summary = shown(notes=("This pull request touches no stack.",))
    assert title == "prod: nothing to do"
    assert "touches no stack" in summary
    assert worst_state((), HEAD) == "done"


def test_every_answer_every_approval_and_the_next_step() -> None:
    yes = Decision("review:1", "a", "bob", "approve", "", "github", NOW)
    state_of_approval = ApprovalState(approval(), (yes,), (replace(yes, login="dave"),), Missing(count=1))
    row = replace(
        READY,
        gates=(
            GateAnswer("Promoted", True, "staging has 1a2b3c4, verified"),
            GateAnswer("NotFrozen", True, ""),
            GateAnswer("Approved", False, "unapproved: prod still needs 1 approval"),
        ),
        blocked=Refused("unapproved", "prod still needs 1 approval.", "They approve with `/approve`."),
        approval_state=state_of_approval,
        frozen=Frozen("weekend", NOW + timedelta(hours=2)),
        follow_ups=(FollowUp("f", PROD, 9, "r", BOB, "the site was down", ("Approved",), NOW),),
    )
    title, summary = shown(row)
    assert title == "prod: prod still needs 1 approval."
    for words in (
        "✅ Promotion: staging has 1a2b3c4, verified",
        "✅ Freeze",
        "❌ Approval: prod still needs 1 approval",
        "bob",
        "dave",
        "no longer counts",
        "Still needed: 1 approval",
        "weekend",
        "the site was down",
        "/acknowledge prod",
        "They approve with `/approve`.",
    ):
        assert words in summary, summary


def test_the_next_command() -> None:
    assert "/apply prod" in shown(READY)[1]
    assert "/promote prod" in shown(replace(READY, next_step="/promote prod"))[1]
    assert "/apply" not in shown(replace(BARE, plan=DONE))[1]


def test_of_several_stacks_the_first_that_is_not_done_is_told() -> None:
    other = replace(READY, target=target("prod", "network"))
    rows = (replace(BARE, plan=DONE), other)
    title, summary = shown(*rows)
    assert title == "prod/network: not applied yet"
    assert worst_state(rows, HEAD) == "blocked"
    assert summary.index("prod") < summary.index("prod/network")


def test_what_people_write_does_no_harm() -> None:
    text = NASTY * 300
    row = replace(
        READY,
        gates=tuple(GateAnswer(text, False, text) for _ in range(40)),
        blocked=Refused("x", text, text),
        approval_state=ApprovalState(approval(why=text, status="rejected")),
        frozen=Frozen(text, None),
        follow_ups=tuple(FollowUp("f", PROD, 9, "r", BOB, text, (), NOW) for _ in range(40)),
    )
    title, summary = shown(*[row] * 5, notes=(text,))
    assert len(title) <= 255
    assert len(summary.encode()) <= 65_535
    assert_harmless(summary)


def test_a_commit_that_was_not_read() -> None:
    notes = ("From a fork: `1a2b3c4` is not read.",)
    title, summary = surfaces.gate("prod", (), Status(REPOSITORY, (), PULL, notes, NOW, unread=True))
    assert title == "prod: not read"
    assert "From a fork: `1a2b3c4` is not read." in summary
