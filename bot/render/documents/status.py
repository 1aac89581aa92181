"""How a pull request's environments stand (the status comment, `/status`), or a repository's."""

from __future__ import annotations

from bot.domain.plan import PlanSummary
from bot.domain.results import Status, TargetStatus
from bot.domain.run import Run
from bot.render.document import (
    Bold,
    Details,
    Document,
    Element,
    Heading,
    Note,
    Plain,
    Spans,
    Table,
    Text,
    say,
    tell,
)
from bot.render.documents import rows
from bot.render.documents.consent import consent
from bot.render.documents.failure import why
from bot.render.documents.headline import headline
from bot.render.documents.plan import counts, diff, losses, summary_of
from bot.render.documents.way_back import means
from bot.render.standing import standing
from bot.render.words import ENDED, named

SMALL = 40
"""Lines of one plan that unfold in the comment; the check has the whole."""
TROUBLES = 8
"""Runs that did not end well and are told of; their checks tell the rest."""


def status(result: Status) -> Document:
    said, text, tone = headline(result)
    if result.pull is None:
        title = f"Environments of {result.repository}"
        return Document(title, (Heading((Plain(title),)), *_table(result), *_notes(result)))
    body: list[Element] = [Text(said), *_table(result)]
    troubled = [row for row in result.targets if rows.trouble(row) and standing(row) != "running"]
    for row in troubled[:TROUBLES]:
        body += _trouble(row)
    if left := troubled[TROUBLES:]:
        body.append(
            Text((Plain(f"… and {named([str(row.target) for row in left])} did not end well either."),))
        )
    for row in result.targets:
        body += consent(row)
    body += _notes(result)
    for row in result.targets:
        summary = summary_of(row.plan)
        if (
            row.plan is not None
            and row.plan.status in ("fresh", "applying")
            and summary
            and not summary.empty
        ):
            body.append(_plan(row, summary))
    return Document(text, tuple(body), tone)


def _table(result: Status) -> tuple[Element, ...]:
    if not result.targets:
        return ()
    if result.pull is None:
        lines = tuple(
            (rows.name(row), rows.deployed(row, result), rows.state(row, result)) for row in result.targets
        )
        return (Table(("Environment", "Deployed", "State"), lines, "environments"),)
    head = ("Environment", "Plan", "Planned", "State", "Next")
    return (Table(head, tuple(_row(row, result) for row in result.targets), "environments"),)


def _row(row: TargetStatus, result: Status) -> tuple[Spans, ...]:
    return (
        rows.name(row),
        rows.plan(row),
        rows.planned(row, result),
        rows.state(row, result),
        rows.next_step(row),
    )


def _trouble(row: TargetStatus) -> tuple[Element, ...]:
    run = rows.trouble(row)
    if run is None:
        return ()
    head = Text(
        (
            Bold(str(row.target)),
            Plain(f": {_ended(run)}."),
        )
    )
    return (head, *why(run))


def _ended(run: Run) -> str:
    if run.outcome == "planned":
        return "planned"
    if run.outcome == "applied":
        return "reverted" if run.reverts else "applied"
    return f"the {run.word} {ENDED[run.outcome or 'failed']}"


def _notes(result: Status) -> tuple[Element, ...]:
    notes: list[Element] = []
    for note in result.notes:
        notes += tell(note) if "\n" in note else [Note(say(note))]
    return tuple(notes)


def _plan(row: TargetStatus, summary: PlanSummary) -> Details:
    body = (*means(row.plan), *losses(summary, 8), *diff(summary, see="see the check", most=SMALL))
    return Details((Bold(str(row.target)), Plain(": "), *counts(summary)), body)
