"""One environment's check run: the whole plan, or the progress of its run."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.chat import Status, TargetStatus
from bot.domain.plans import PlanSummary
from bot.render.document import Document, Element, Facts, Note, Plain, Spans
from bot.render.documents.plan import diff
from bot.render.documents.plan_overview import destroyed, overview
from bot.render.documents.revert_plan import revert_actions
from bot.render.documents.run_failure import run_failure
from bot.render.documents.state_cell import state_cell
from bot.render.documents.status import warnings
from bot.render.documents.status_rows import next_cell, plan_cell, planned_cell, run_to_explain
from bot.render.documents.target_state import current_run, progress, target_state
from bot.render.format import OUTCOMES
from bot.render.markup import to_spans

CHECK_LINES = 400
"""Lines of one change. The check has as many changes as fit, so that one does not take the room of all others."""


def check_summary(
    row: TargetStatus, summary: PlanSummary | None, status: Status, log: Sequence[str]
) -> Document:
    """The check's title and summary. log: the lines of a run that failed, already redacted."""
    body: list[Element] = [*warnings(status), Facts(tuple(pair for pair in _facts(row, status) if pair[1]))]
    run = run_to_explain(row)
    if run is not None and current_run(row) is None:
        body += run_failure(run, log)
    if summary is not None:
        body += revert_actions(row.plan)
        body += destroyed(summary)
    if row.stale:
        body.append(Note((Plain("This plan can no longer be applied: "), *to_spans(row.stale))))
    return Document(_title(row, summary), tuple(body))


def check_text(summary: PlanSummary | None) -> Document:
    """The plan itself; empty without one."""
    see = "see the full plan" if summary and summary.pages else "see the log"
    body: tuple[Element, ...] = (
        (*overview(summary), *diff(summary, see=see, each=CHECK_LINES)) if summary else ()
    )
    version = summary.terraform_version if summary else ""
    return Document("", (*body, Note((Plain(f"Terraform {version}"),))) if version else body)


def _title(row: TargetStatus, summary: PlanSummary | None) -> str:
    run = current_run(row)
    if run is not None:
        spans = progress(run, row.plan, row.after)
        return f"{row.target}: " + "".join(getattr(span, "text", "") for span in spans)
    state = target_state(row)
    if state == "failed" and row.run is not None:
        return f"{row.target}: {row.run.word} {OUTCOMES[row.run.outcome or 'failed']}"
    if state in ("applied", "reverted"):
        return f"{row.target}: {state}"
    revert = f"revert to {row.plan.commit[:7]}, " if row.plan and row.plan.reverts else ""
    return f"{row.target}: {revert}{summary.headline if summary else 'no plan'}"


def _facts(row: TargetStatus, status: Status) -> tuple[tuple[str, Spans], ...]:
    return (
        ("Plan", plan_cell(row, status)),
        ("Planned", planned_cell(row, status)),
        ("State", state_cell(row, status)),
        ("Next", next_cell(row)),
    )
