"""The environments of a pull request (the status comment, `/status`) or of a repository."""

from __future__ import annotations

from bot.domain.chat import Status, TargetStatus
from bot.domain.plans import PlanSummary
from bot.domain.run import Run
from bot.render.document import Bold, Details, Document, Element, Heading, Note, Plain, Table, Text
from bot.render.documents.approval_summary import approval_summary
from bot.render.documents.headline import headline
from bot.render.documents.plan import counts, diff, summary_of
from bot.render.documents.plan_overview import destroyed, overview
from bot.render.documents.revert_plan import revert_actions
from bot.render.documents.run_failure import run_failure
from bot.render.documents.state_cell import state_cell
from bot.render.documents.status_rows import (
    deployed_cell,
    environment_cell,
    next_cell,
    plan_cell,
    planned_cell,
    run_to_explain,
)
from bot.render.documents.target_state import target_state
from bot.render.format import OUTCOMES, join_names
from bot.render.markup import to_elements, to_spans

PLAN_LINES = 200
"""Lines of one plan that unfold in the comment; the check has more of it, and the full plan all."""
EXPLAINED = 8
"""Runs that are explained; the checks explain the others."""


def status(result: Status) -> Document:
    sentence, text, tone = headline(result)
    if result.pull is None:
        title = f"Environments of {result.repository}"
        return Document(title, (Heading((Plain(title),)), *_table(result), *_notes(result)))
    body: list[Element] = [*warnings(result), Text(sentence), *_table(result), *_explanations(result)]
    for row in result.targets:
        body += approval_summary(row, result.plans)
    body += _notes(result)
    body += [details for row in result.targets if (details := _plan(row))]
    return Document(text, tuple(body), tone)


def warnings(result: Status) -> tuple[Element, ...]:
    """What comes before everything else: providers that the default branch does not use."""
    return tuple(Text((Bold("⚠️ New provider:"), Plain(" "), *to_spans(one))) for one in result.warnings)


def _table(result: Status) -> tuple[Element, ...]:
    if not result.targets:
        return ()
    if result.pull is None:
        deployed = tuple(
            (environment_cell(row), deployed_cell(row, result), state_cell(row, result))
            for row in result.targets
        )
        return (Table(("Environment", "Deployed", "State"), deployed, "environments"),)
    rows = tuple(
        (
            environment_cell(row),
            plan_cell(row, result),
            planned_cell(row, result),
            state_cell(row, result),
            next_cell(row),
        )
        for row in result.targets
    )
    return (Table(("Environment", "Plan", "Planned", "State", "Next"), rows, "environments"),)


def _explanations(result: Status) -> list[Element]:
    """Explain the runs that failed or have a message."""
    found = [
        (row, run)
        for row in result.targets
        if (run := run_to_explain(row)) is not None and target_state(row) != "running"
    ]
    elements: list[Element] = []
    for row, run in found[:EXPLAINED]:
        elements += [Text((Bold(str(row.target)), Plain(f": {_outcome(run)}."))), *run_failure(run)]
    if rest := [str(row.target) for row, _ in found[EXPLAINED:]]:
        elements.append(Text((Plain(f"… for {join_names(rest)}, see the checks."),)))
    return elements


def _outcome(run: Run) -> str:
    if run.outcome == "planned":
        return "planned"
    if run.outcome == "applied":
        return "reverted" if run.reverts else "applied"
    return f"{run.word} {OUTCOMES[run.outcome or 'failed']}"


def _notes(result: Status) -> tuple[Element, ...]:
    notes: list[Element] = []
    for note in result.notes:
        notes += to_elements(note) if "\n" in note else [Note(to_spans(note))]
    return tuple(notes)


def _plan(row: TargetStatus) -> Details | None:
    """The plan to unfold, unless it is empty or can no longer be applied."""
    summary: PlanSummary | None = summary_of(row.plan)
    if row.plan is None or row.plan.status not in ("fresh", "applying") or not summary or summary.empty:
        return None
    body = (
        *revert_actions(row.plan),
        *destroyed(summary),
        *overview(summary),
        *diff(summary, see="see the full plan" if summary.pages else "see the check", most=PLAN_LINES),
    )
    return Details((Bold(str(row.target)), Plain(": "), *counts(summary)), body)
