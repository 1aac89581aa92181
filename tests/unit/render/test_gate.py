"""A gate's check: its title, its answers, and what comes next."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.answers import Answer, Refused
from bot.domain.approval import Approval, Decision, Missing, Standing
from bot.domain.freeze import Frozen
from bot.domain.plan import PlanSummary
from bot.domain.policy import Environment
from bot.domain.ports.records import FollowUp
from bot.domain.release import Release
from bot.domain.results import Status, TargetStatus
from bot.domain.run import Origin
from bot.render import surfaces
from bot.render.documents.gate import stands, worst
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
    ("row", "stand", "title"),
    [
        (BARE, "barred", "prod: not applied yet: there is no plan of 1a2b3c4"),
        (
            replace(READY, plan=plan(PROD, commit="0" * 40)),
            "barred",
            "prod: not applied yet: there is no plan of",
        ),
        (READY, "barred", "prod: not applied yet"),
        (replace(READY, stale="the state moved"), "barred", "prod: the state moved"),
        (
            replace(READY, blocked=Refused("frozen", "`prod` is frozen until noon.", "")),
            "barred",
            "prod: prod is frozen until noon.",
        ),
        (
            replace(READY, run=run(PROD, kind="apply", outcome="failed")),
            "barred",
            "prod: the apply failed",
        ),
        (replace(BARE, plan=QUIET), "clear", "prod: no changes"),
        (replace(BARE, plan=QUIET, stale="the state moved"), "barred", "prod: the state moved"),
        (replace(BARE, plan=QUIET, consent=Standing(approval())), "barred", "prod: not applied yet"),
        (
            replace(BARE, plan=QUIET, run=run(PROD, phase="planning", outcome=None)),
            "barred",
            "prod: not applied",
        ),
        (replace(BARE, plan=DONE), "clear", "prod: applied"),
        (replace(BARE, plan=DONE, release=release(verification="passed")), "clear", "prod: applied"),
        (
            replace(BARE, plan=DONE, release=release(verification="running")),
            "applying",
            "prod: smoke checks are running",
        ),
        (
            replace(
                BARE,
                plan=DONE,
                release=release(verification="failed", checks=({"name": "healthz", "ok": False},)),
            ),
            "broken",
            "prod: applied, but smoke check healthz failed",
        ),
        (
            replace(READY, busy=run(PROD, kind="apply", phase="applying", outcome=None)),
            "applying",
            "prod: applying",
        ),
        (
            replace(READY, busy=run(PROD, kind="apply", phase="verifying", outcome=None)),
            "applying",
            "prod: smoke checks are running",
        ),
        (
            replace(READY, busy=run(PROD, kind="apply", phase="applying", outcome=None, pull=9)),
            "barred",
            "prod: not applied yet",
        ),
    ],
)
def test_how_it_stands(row: TargetStatus, stand: str, title: str) -> None:
    assert stands(row, HEAD) == stand
    said, summary = shown(row)
    assert said.startswith(title)
    assert summary


def test_a_pull_request_that_touches_nothing() -> None:
    title, summary = shown(notes=("This pull request touches no stack.",))
    assert title == "prod: nothing to do"
    assert "touches no stack" in summary
    assert worst((), HEAD) == "clear"


def test_every_answer_every_approval_and_the_next_step() -> None:
    yes = Decision("review:1", "a", "bob", "approve", "", "github", NOW)
    standing = Standing(approval(), (yes,), (replace(yes, login="erin"),), Missing(more=1))
    row = replace(
        READY,
        gates=(
            Answer("Promoted", True, "staging has 1a2b3c4, verified"),
            Answer("NotFrozen", True, ""),
            Answer("Approved", False, "unapproved: prod still needs 1 approval"),
        ),
        blocked=Refused("unapproved", "prod still needs 1 approval.", "They approve with `/approve`."),
        consent=standing,
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
        "erin",
        "may not any more",
        "Waits for: 1 approval",
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
    assert worst(rows, HEAD) == "barred"
    assert summary.index("prod") < summary.index("prod/network")


def test_what_people_write_does_no_harm() -> None:
    text = NASTY * 300
    row = replace(
        READY,
        gates=tuple(Answer(text, False, text) for _ in range(40)),
        blocked=Refused("x", text, text),
        consent=Standing(approval(why=text, status="rejected")),
        frozen=Frozen(text, None),
        follow_ups=tuple(FollowUp("f", PROD, 9, "r", BOB, text, (), NOW) for _ in range(40)),
    )
    title, summary = shown(*[row] * 5, notes=(text,))
    assert len(title) <= 255
    assert len(summary.encode()) <= 65_535
    assert_harmless(summary)
