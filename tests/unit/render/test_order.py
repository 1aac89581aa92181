"""Stacks in order as people see them: what waits, what comes first, what follows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.chat import RunsStarted, Status, TargetStatus
from bot.domain.policy.model import Environment
from bot.render import surfaces
from bot.render.reply import on_github
from tests.unit.render.facts import NOW, PULL, REPOSITORY, plan, run, target

NETWORK, APP = target("staging", "network"), target("staging", "app")
WAITING = replace(run(APP), phase="queued", outcome=None, after=("run-network",))
ROW = TargetStatus(APP, Environment("staging", "plan"), 12)


def comment(row: TargetStatus) -> str:
    return surfaces.comment(Status(REPOSITORY, (row,), PULL, (), NOW))


@pytest.mark.parametrize(
    ("row", "headline", "cell"),
    [
        (replace(ROW, first=NETWORK), "Staging/app comes after staging/network", "✋ after staging/network"),
        (replace(ROW, plan=plan(APP), first=NETWORK), "Staging/app comes after", "✋ after staging/network"),
        (
            replace(ROW, run=WAITING, after=(NETWORK,)),
            "Staging/app: plan running",
            "⏳ waiting for staging/network",
        ),
        (replace(ROW, plan=plan(APP)), "Staging/app is ready to apply", "ready to apply"),
    ],
)
def test_the_status_says_what_comes_first(row: TargetStatus, headline: str, cell: str) -> None:
    text = comment(row)
    assert f"**{headline}" in text
    assert f"| {cell} |" in text


def test_the_check_says_what_it_waits_for() -> None:
    row = replace(ROW, run=WAITING, after=(NETWORK,))
    title, _summary, _text = surfaces.check(row, None, status=Status(REPOSITORY, (row,), PULL, (), NOW))
    assert title == "staging/app: waiting for staging/network"


def test_the_answer_names_what_runs_before() -> None:
    first = replace(run(NETWORK), id="n", kind="apply", phase="queued", outcome=None)
    then = replace(first, id="a", target=APP)
    text = on_github(RunsStarted((first, then), {APP.key: first}, (target("staging", "web"),)))
    assert "Applying **staging/app** at `1a2b3c4` after the apply of staging/network." in text
    assert "**staging/web** is planned after that, with their outputs." in text
    other = on_github(RunsStarted((then,), {APP.key: replace(first, pull=14)}))
    assert "after the apply of staging/network for " in other
    assert "14" in other
