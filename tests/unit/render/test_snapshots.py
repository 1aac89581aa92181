from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.domain.chat import Result, Status
from bot.domain.plans import PlanSummary
from bot.render import surfaces
from bot.render.command_style import CommandStyle
from bot.render.reply import in_slack, in_terminal, on_github
from tests.unit.render import facts, samples
from tests.unit.render.limits import assert_harmless, assert_slack_takes

SLACK = CommandStyle("/infra", 12, facts.REPOSITORY)
RESULTS = samples.results()


def told(text: str, blocks: list[dict[str, Any]]) -> str:
    assert_slack_takes(text, blocks)
    return "\n".join([text, *(json.dumps(block, ensure_ascii=False) for block in blocks)])


def test_every_result_has_a_sample() -> None:
    assert {type(result) for result in RESULTS.values()} == set(get_args(Result))


@pytest.mark.parametrize("name", RESULTS)
def test_on_github(name: str, snapshot: SnapshotAssertion) -> None:
    body = on_github(RESULTS[name])
    assert_harmless(body)
    assert body == snapshot


@pytest.mark.parametrize("name", RESULTS)
def test_in_slack(name: str, snapshot: SnapshotAssertion) -> None:
    assert told(*in_slack(RESULTS[name], SLACK)) == snapshot


@pytest.mark.parametrize("name", RESULTS)
def test_in_a_terminal(name: str, snapshot: SnapshotAssertion) -> None:
    assert in_terminal(RESULTS[name]) == snapshot


def test_in_colour(snapshot: SnapshotAssertion) -> None:
    assert in_terminal(samples.status(), colour=True) == snapshot


@pytest.mark.parametrize("name", ["status", "status_quiet", "status_empty", "status_guarded"])
def test_the_card(name: str, snapshot: SnapshotAssertion) -> None:
    result = RESULTS[name]
    assert isinstance(result, Status)
    assert told(*surfaces.card(result, "/infra")) == snapshot


@pytest.mark.parametrize("row", range(4))
def test_the_checks(row: int, snapshot: SnapshotAssertion) -> None:
    status = samples.status()
    shown = status.targets[row]
    content = PlanSummary.from_dict(shown.plan.summary) if shown.plan else None
    title, summary, text = surfaces.check(shown, content, status=status, log=[f"line {n}" for n in range(40)])
    assert_harmless(summary)
    assert_harmless(text)
    assert f"{title}\n\n{summary}\n\n{text}" == snapshot


def test_a_check_without_a_plan(snapshot: SnapshotAssertion) -> None:
    row = samples.quiet().targets[3]
    assert surfaces.check(row, None) == snapshot


@pytest.mark.parametrize(
    "outcome",
    ["planned", "applied", "failed", "refused", "cancelled", "superseded", "interrupted", "timed_out"],
)
def test_a_runs_end(outcome: Any, snapshot: SnapshotAssertion) -> None:
    where = facts.target("prod")
    well = outcome in ("planned", "applied")
    run = facts.run(
        where,
        kind="plan" if outcome == "planned" else "apply",
        outcome=outcome,
        message="" if well else "The worker stopped during this apply.",
        next_step="" if well else "`/plan prod` shows what is left to do.",
        reference="T-7K3M9Q" if outcome == "failed" else "",
    )
    step = "/apply prod" if outcome == "planned" else ""
    shown = surfaces.run_finished(run, facts.plan(where), "/infra", log=["first", "last"], next_step=step)
    assert told(*shown) == snapshot


def test_a_reverts_end() -> None:
    """It is called what it was, and a plan names the command that the status names, or none."""
    where = facts.target("prod")
    run = facts.run(where, reverts="release-1")
    planned = surfaces.run_finished(run, facts.plan(where), "/infra", next_step="/revert prod --losing 2")
    assert "/infra revert prod --losing 2" in told(*planned)
    assert "Next" not in told(*surfaces.run_finished(run, facts.plan(where), "/infra"))
    done = facts.run(where, kind="apply", outcome="applied", reverts="release-1")
    assert "prod* reverted" in told(*surfaces.run_finished(done, facts.plan(where), "/infra"))
