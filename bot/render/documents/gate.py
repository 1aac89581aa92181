"""The check of a guarded environment for one pull request: each gate's answer, who approved, what comes next."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.chat import Status, TargetStatus
from bot.render.document import Document, Element, Facts, Heading, Items, Note, Person, Plain, Spans, Text
from bot.render.documents.gate_facts import gate_answer, gate_facts, next_command
from bot.render.documents.gate_state import gate_state, worst_state
from bot.render.documents.plan import full_plan
from bot.render.documents.status_rows import plan_cell
from bot.render.format import FAILED, OUTCOMES
from bot.render.markup import to_spans


def gate(environment: str, rows: Sequence[TargetStatus], status: Status) -> Document:
    """The check's title and summary. rows: the environment's own rows of `status`."""
    head = status.pull.head_sha if status.pull else ""
    if status.unread:
        notes = tuple(Note(to_spans(note)) for note in status.notes)
        return Document(f"{environment}: not read", notes, "warning")
    if not rows:
        text = "No stack of this environment is affected." if status.targets else "Nothing to apply."
        notes = tuple(Note(to_spans(note)) for note in status.notes)
        return Document(f"{environment}: nothing to do", (Text((Plain(text),)), *notes), "good")
    first = next(row for row in rows if gate_state(row, head) == worst_state(rows, head))
    body: list[Element] = []
    for row in rows:
        if len(rows) > 1:
            body.append(Heading((Plain(str(row.target)),)))
        body += _row(row, head, status)
    body += [Note(to_spans(note)) for note in status.notes]
    return Document(f"{first.target}: {_plain_text(_reason(first, head))}", tuple(body))


def _row(row: TargetStatus, head: str, status: Status) -> list[Element]:
    body: list[Element] = [Text(_reason(row, head))]
    if row.gates and gate_state(row, head) != "done":
        body.append(Items(tuple(gate_answer(one) for one in row.gates), "gates"))
    page = full_plan(row.plan, status.plans)
    blocked = gate_state(row, head) == "blocked" and not row.pull_closed
    facts = (
        *gate_facts(row),
        ("Plan", plan_cell(row, status) if page else ()),
        ("Next", next_command(row, status) if blocked else ()),
    )
    if shown := tuple(fact for fact in facts if fact[1]):
        body.append(Facts(shown))
    return body


def _reason(row: TargetStatus, head: str) -> Spans:
    """Say why it cannot be applied yet, or what has been applied."""
    match gate_state(row, head):
        case "applying":
            return (Plain("smoke checks running" if _verifying(row) else "applying"),)
        case "failed":
            check = row.own_release.failed_check if row.own_release else None
            return (
                Plain(
                    f"applied, but smoke check {check['name']} failed"
                    if check
                    else "applied, but not verified"
                ),
            )
        case "done":
            return (Plain("applied" if row.plan and row.plan.status == "applied" else "no changes"),)
    if row.reverted or (row.plan is not None and row.plan.reverts and row.plan.status == "applied"):
        return (Plain("reverted: the changes of this pull request are not deployed"),)
    if row.blocked is not None:
        return to_spans(row.blocked.fact)
    run = row.run
    if run is not None and not run.active and run.commit == head and run.outcome in FAILED:
        return (Plain(f"{run.word} {OUTCOMES[run.outcome or 'failed']}"),)
    if row.plan is None or row.plan.commit != head:
        return (Plain(f"not applied yet: there is no plan for {head[:7]}"),)
    return to_spans(row.stale) if row.stale else (Plain("not applied yet"),)


def _verifying(row: TargetStatus) -> bool:
    release, run = row.own_release, row.active_run
    checking = release is not None and release.verification == "running"
    return checking or (run is not None and run.phase == "verifying")


def _plain_text(spans: Spans) -> str:
    return "".join(f"@{span.login}" if isinstance(span, Person) else span.text for span in spans)
