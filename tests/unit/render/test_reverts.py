"""Reverts are called reverts wherever they are shown, and no button is there that would be refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.chat import RunsStarted, Status, TargetStatus
from bot.domain.hold import Hold
from bot.domain.plans import PlanSummary
from bot.domain.policy.model import Environment
from bot.domain.release import Release
from bot.domain.states.unsaved import Unsaved
from bot.render import surfaces
from bot.render.reply import on_github
from tests.unit.render.facts import ANN, BOB, HEAD, NOW, PULL, REPOSITORY, lock, plan, run, target

HERE = target("staging")
GOOD = "9" * 40
BACK = plan(HERE, commit=GOOD, reverts="release-1")
ROW = TargetStatus(HERE, Environment("staging", "plan"), 12, BACK, run=run(HERE, reverts="release-1"))
APPLIED = plan(HERE, status="applied")


def release(**more: Any) -> Release:
    return replace(Release("r", HERE, "run", "d" * 64, GOOD, 12, ANN, 5, NOW), **more)


def hold() -> Hold:
    return Hold(HERE, "release-1", GOOD, HEAD, "run", 12, BOB, NOW)


def comment(row: TargetStatus) -> str:
    return surfaces.comment(Status(REPOSITORY, (row,), PULL, (), NOW))


def title(row: TargetStatus) -> str:
    content = PlanSummary.from_dict(row.plan.summary) if row.plan else None
    return surfaces.check(row, content, status=Status(REPOSITORY, (row,), PULL, (), NOW))[0]


def buttons(row: TargetStatus) -> list[str]:
    _text, blocks = surfaces.card(Status(REPOSITORY, (row,), PULL, (), NOW), "/infra")
    return [
        one["text"]["text"]
        for block in blocks
        if block["type"] == "actions"
        for one in block["elements"]
        if one["text"]["text"] not in ("Open pull request", "Log")
    ]


@pytest.mark.parametrize(
    ("row", "headline", "cell", "check"),
    [
        (ROW, "Staging is ready to revert", "ready to revert", "staging: revert to 9999999, "),
        (
            replace(ROW, stale="The state moved.", next_step="/revert staging"),
            "Staging needs a new plan to revert",
            "The state moved.",
            "staging: revert to 9999999, ",
        ),
        (
            replace(ROW, plan=replace(BACK, status="applied"), release=release(reverts="release-1")),
            "Staging is reverted",
            "reverted to `9999999` 22 Nov 14:03 UTC",
            "staging: reverted",
        ),
        (
            replace(ROW, plan=replace(BACK, status="applied"), release=release(plan_digest="e" * 64)),
            "Staging is reverted",
            "✅ reverted",
            "staging: reverted",
        ),
        (
            replace(
                ROW,
                plan=replace(BACK, status="failed"),
                run=run(HERE, kind="apply", outcome="failed", reverts="r"),
            ),
            "Staging: revert failed",
            "revert failed",
            "staging: revert failed",
        ),
        (
            replace(
                ROW, plan=APPLIED, reverted=True, release=release(reverts="r", plan_digest="e" * 64, pull=14)
            ),
            "Staging is reverted",
            "reverted to `9999999` 22 Nov 14:03 UTC by #14",
            "staging: reverted",
        ),
        (replace(ROW, plan=APPLIED), "Staging is applied", "✅ applied", "staging: applied"),
        (
            replace(ROW, plan=plan(HERE, PlanSummary(), reverts="r")),
            "Staging has nothing to revert",
            "nothing to revert",
            "staging: revert to 1a2b3c4, no changes",
        ),
        (
            replace(ROW, pull_closed=True),
            "Staging is ready to revert",
            "ready to revert",
            "staging: revert to",
        ),
        (
            replace(ROW, plan=replace(BACK, status="superseded"), pull_closed=True),
            "Staging was not reverted",
            "not reverted",
            "staging: revert to",
        ),
    ],
)
def test_what_a_revert_is_called(row: TargetStatus, headline: str, cell: str, check: str) -> None:
    said = comment(row)
    assert headline in said
    assert cell in said.replace("&#8203;", "")
    assert title(row).startswith(check)
    assert headline in surfaces.card(Status(REPOSITORY, (row,), PULL, (), NOW), "/infra")[0]


def test_what_is_under_way_is_called_so() -> None:
    going = run(HERE, kind="apply", reverts="r", phase="applying", outcome=None, finished_at=None)
    assert title(replace(ROW, run=going, active_run=going)) == "staging: reverting"
    assert "Reverting **staging**" in on_github(RunsStarted((going,), {}))
    waits = run(HERE, kind="apply", phase="queued", outcome=None, finished_at=None)
    assert "once the revert of" in on_github(RunsStarted((waits,), {HERE.key: going}))


@pytest.mark.parametrize(
    ("row", "offered"),
    [
        (replace(ROW, next_step="/revert staging"), ["Revert staging", "Plan"]),
        (replace(ROW, next_step="/revert staging --losing 2"), ["Plan"]),
        (replace(ROW, plan=plan(HERE), next_step="/apply staging"), ["Apply staging", "Plan"]),
        (replace(ROW, plan=plan(HERE), next_step="/unhold staging", hold=hold()), ["Unhold staging", "Plan"]),
        (
            replace(
                ROW,
                plan=plan(HERE),
                next_step="/push-state staging",
                unsaved=Unsaved("u", HERE, "run", 9, HEAD, "ann", "l", 3, "s", 1, 2, True, "", NOW),
            ),
            ["Push state of staging", "Plan"],
        ),
        (replace(ROW, plan=plan(HERE), next_step="/plan staging"), ["Plan staging", "Plan"]),
        (replace(ROW, plan=plan(HERE), next_step="", lock=lock(HERE)), ["Plan"]),
        (replace(ROW, plan=plan(HERE), environment=Environment("staging")), []),
    ],
)
def test_buttons_lead_where_the_status_leads(row: TargetStatus, offered: list[str]) -> None:
    """What must be typed has none; a bare `plan` is there where something is planned by it."""
    assert buttons(row) == offered
