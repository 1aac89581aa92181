"""One environment's check run: the whole plan, or what goes on."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.plan import PlanSummary
from bot.domain.results import Status, TargetStatus
from bot.render.document import Document, Element, Facts, Note, Plain, Spans, say
from bot.render.documents import rows
from bot.render.documents.failure import why
from bot.render.documents.plan import diff, losses
from bot.render.documents.way_back import means
from bot.render.standing import at_work, progress, standing
from bot.render.words import ENDED


def check_summary(
    row: TargetStatus, summary: PlanSummary | None, status: Status, log: Sequence[str]
) -> Document:
    """Its title is the check's title."""
    body: list[Element] = [Facts(tuple(pair for pair in _facts(row, status) if pair[1]))]
    run = rows.trouble(row)
    if run is not None and at_work(row) is None:
        body += why(run, log)
    if summary is not None:
        body += means(row.plan)
        body += losses(summary)
    if row.stale:
        body.append(Note((Plain("This plan can no longer be applied: "), *say(row.stale))))
    return Document(_title(row, summary), tuple(body))


def check_text(summary: PlanSummary | None) -> Document:
    """The plan itself; empty where there is none."""
    body: tuple[Element, ...] = diff(summary, see="see the log") if summary else ()
    made = (
        (Note((Plain(f"Terraform {summary.terraform_version}"),)),)
        if summary and summary.terraform_version
        else ()
    )
    return Document("", (*body, *made))


def _title(row: TargetStatus, summary: PlanSummary | None) -> str:
    run = at_work(row)
    if run is not None:
        return f"{row.target}: " + "".join(getattr(span, "text", "") for span in progress(run, row.plan))
    stands = standing(row)
    if stands == "failed" and row.run is not None:
        return f"{row.target}: {row.run.word} {ENDED[row.run.outcome or 'failed']}"
    if stands in ("applied", "reverted"):
        return f"{row.target}: {stands}"
    back = f"back to {row.plan.commit[:7]}, " if row.plan and row.plan.reverts else ""
    return f"{row.target}: {back}{summary.headline if summary else 'no plan'}"


def _facts(row: TargetStatus, status: Status) -> tuple[tuple[str, Spans], ...]:
    return (
        ("Plan", rows.plan(row)),
        ("Planned", rows.planned(row, status)),
        ("State", rows.state(row, status)),
        ("Next", rows.next_step(row)),
    )
