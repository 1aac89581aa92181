"""An export while it runs, while it waits for approval, and how it ended: in Slack, in an issue and as an answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.domain.exports import Export, ExportHistory, ExportView, Preview, TableCount
from bot.render.document import (
    Actions,
    Block,
    Bold,
    Button,
    Code,
    Document,
    Element,
    Facts,
    Heading,
    Items,
    Note,
    Plain,
    Spans,
    Table,
    Text,
    Tone,
)
from bot.render.format import (
    count,
    format_day,
    format_duration,
    format_size,
    format_time,
    join_names,
    one_line,
)
from bot.render.markup import actor_span, join_spans, to_elements, to_spans

_DOING = {
    "queued": "waits for a worker",
    "previewing": "is counting rows",
    "approval": "needs approval",
    "approved": "is approved and waits for a worker",
    "extracting": "is reading and masking",
    "loading": "is loading",
    "verifying": "is checking what was loaded",
    "swapping": "is swapping databases",
}
_ENDED = {
    "done": "is done",
    "failed": "failed",
    "refused": "was refused",
    "rejected": "was rejected",
    "expired": "was not approved in time",
    "cancelled": "was cancelled",
    "interrupted": "was interrupted",
}
_TONES: dict[str, Tone] = {"done": "good", "failed": "bad", "rejected": "bad", "interrupted": "bad"}
_NAMES = {"export": "export", "preview": "preview of the export", "rollback": "rollback"}
BAR = 20
"""Characters of a progress bar."""


def export_message(view: ExportView) -> Document:
    """The export as it is now."""
    export = view.export
    title = _title(export)
    body: list[Element] = [Heading((Plain(title),)), Text(_origin(view))]
    if export.active:
        body += _progress(export)
    else:
        body += _ended(view)
    if export.missed:
        times = join_names(list(export.missed))
        body.append(Text((Plain(f"Missed while the bot did not run: {times}. This one makes up for them."),)))
    if view.preview is not None and (export.phase == "approval" or export.kind == "preview"):
        body += [*preview_tables(view.preview), *_changes(view)]
    if export.phase == "approval":
        body += _approval(view)
    body += _buttons(view)
    return Document(
        title, tuple(body), "plain" if export.active else _TONES.get(str(export.outcome), "warning")
    )


def export_answer(view: ExportView) -> Document:
    """The same as an answer, which is not edited afterwards, and so has no buttons that would outlive what they do."""
    message = export_message(view)
    kept = tuple(one for one in message.elements if not isinstance(one, Actions))
    return replace(message, elements=kept)


def preview_tables(preview: Preview) -> tuple[Element, ...]:
    """What leaves and how it is masked, the largest tables first; the notes name tables that stay empty."""
    taken = sorted((one for one in preview.tables if one.rows), key=lambda one: (-one.rows, one.table))
    head = ("Table", "Rows", "Columns", "Why")
    summary = (
        f"{count(preview.rows, 'row')} of {count(len(taken), 'table')}, about {format_size(preview.bytes)}"
    )
    elements: list[Element] = [
        Text((Bold(summary), Plain(f", counted {format_time(preview.at)}"))),
        Table(head, tuple(_row(one) for one in taken), "tables"),
    ]
    if preview.notes:
        elements.append(Items(tuple(to_spans(note) for note in preview.notes), "notes"))
    return tuple(elements)


def _row(one: TableCount) -> tuple[Spans, ...]:
    part = f"{one.rows:,} of {one.total:,}"
    return (
        (Code(str(one.table)),),
        (Plain(part),),
        (
            Plain(
                "; ".join(filter(None, (_named("masks", one.masked), _named("clears", one.cleared)))) or "–"
            ),
        ),
        (Plain(one.why or "–"),),
    )


def _named(what: str, columns: tuple[str, ...]) -> str:
    return f"{what} {', '.join(columns)}" if columns else ""


def _title(export: Export) -> str:
    doing = _DOING.get(export.phase, "") if export.active else _ENDED[export.outcome or "failed"]
    what = (
        f"of {export.environment}" if export.kind == "rollback" else f"{export.source} → {export.environment}"
    )
    return f"{_NAMES[export.kind].capitalize()} {what} {doing}"


def _origin(view: ExportView) -> Spans:
    export = view.export
    asked = f"due {format_time(export.due_at)}" if export.due_at else ""
    parts: list[Spans] = (
        [(Plain("by schedule, "), Plain(asked))]
        if asked
        else [(Plain("requested by "), actor_span(export.actor))]
    )
    parts.append((Plain("policy of "), Code(export.commit[:7])))
    if export.approved_by:
        parts.append((Plain(f"approved by {join_names(list(export.approved_by))}"),))
    return join_spans(parts)


def _progress(export: Export) -> list[Element]:
    progress = export.progress
    if export.phase in ("queued", "approval", "approved"):
        return []  # what is recorded is how far the preview got
    if progress.waiting:
        return [Text((Plain(f"Waits: {one_line(progress.waiting)}."),))]
    if not progress.rows and not progress.table:
        return []
    done = f"{progress.rows:,} of {progress.total:,} rows" if progress.total else f"{progress.rows:,} rows"
    facts = [
        done,
        format_size(progress.bytes) if progress.bytes else "",
        f"{progress.rate:,.0f} rows/s" if progress.rate else "",
    ]
    if progress.remaining is not None:
        facts.append(f"about {format_duration(timedelta(seconds=max(1.0, progress.remaining)))} left")
    line: list[Element] = [Text((Plain(" · ".join(filter(None, facts))),))]
    if progress.total:
        full = min(BAR, BAR * progress.rows // progress.total)
        line.insert(0, Text((Code("█" * full + "░" * (BAR - full)),)))
    if progress.table:
        line.append(Note((Plain("Now: "), Code(progress.table))))
    return line


def _ended(view: ExportView) -> list[Element]:
    export, elements = view.export, list[Element]()
    if export.message:
        elements += to_elements(export.message)
    if export.next_step:
        elements.append(Text(to_spans(f"Next: {export.next_step}")))
    if export.reference:
        elements.append(Note((Plain("Reference for your operator: "), Code(export.reference))))
    if export.outcome != "done":
        return elements
    took = (
        format_duration(export.finished_at - export.started_at)
        if export.finished_at and export.started_at
        else ""
    )
    pairs: list[tuple[str, Spans]] = []
    if view.manifest is not None and export.kind == "export":
        tables = count(sum(1 for one in view.manifest.tables if one.rows), "table")
        pairs.append(("Rows", (Plain(f"{view.manifest.rows:,} in {tables}"),)))
        pairs.append(("Stored", (Plain(format_size(view.manifest.bytes)),)))
        pairs.append(("As of", (Plain(format_time(view.manifest.snapshot_at)),)))
    if took:
        pairs.append(("Took", (Plain(took),)))
    if pairs:
        elements.append(Facts(tuple(pairs)))
    if export.notes:
        elements.append(Items(tuple(to_spans(note) for note in export.notes), "notes"))
    if export.kind == "export" and export.previous:
        elements.append(
            Note(
                to_spans(f"The data before is kept: `/export {export.environment} rollback` brings it back.")
            )
        )
    return elements


def _changes(view: ExportView) -> tuple[Element, ...]:
    if not view.changes:
        return ()
    groups = tuple((line,) for line in view.changes)
    return (
        Text((Bold("The policy changed since the last approved export:"),)),
        Block(groups, "diff", "lines", "see `envs/export.toml`"),
    )


def _approval(view: ExportView) -> list[Element]:
    environment = view.export.environment
    expires = f" The request expires {format_time(view.export.expires_at)}." if view.export.expires_at else ""
    return [
        Text(to_spans(f"Needs {view.missing or 'nothing more'}.{expires}")),
        Note(
            to_spans(
                f"Approve with `/export {environment} approve`, reject with `/export {environment} reject`."
            )
        ),
    ]


def _buttons(view: ExportView) -> list[Element]:
    export, buttons = view.export, list[Button]()
    word = f"export {export.environment}"
    if export.phase == "approval":
        rows = count(view.preview.rows, "row") if view.preview else "the rows"
        question = f"Replace {export.environment}'s data by {rows} of {export.source}, masked as shown?"
        buttons.append(Button("Approve", f"{word} approve", style="primary", confirm=question))
        buttons.append(Button("Reject", f"{word} reject", style="danger"))
    if export.active and export.phase != "swapping":
        question = f"{export.environment}'s data stays as it is."
        buttons.append(Button("Cancel", f"{word} cancel", style="danger", confirm=question))
    if view.link.startswith("http"):
        buttons.append(Button("Details", url=view.link))
    return [Actions(tuple(buttons))] if buttons else []


def export_history(history: ExportHistory) -> Document:
    """The newest exports of an environment."""
    title = f"Exports to {history.environment}"
    body: list[Element] = [Heading((Plain(title),))]
    if history.due_at is not None:
        body.append(Text((Plain(f"The next one is due {format_day(history.due_at)}."),)))
    if not history.exports:
        body.append(
            Text(
                to_spans(
                    f"None yet. `/export {history.environment} preview` shows what the first one would take."
                )
            )
        )
        return Document(title, tuple(body))
    rows = tuple(_past(one) for one in history.exports)
    return Document(title, (*body, Table(("When", "What", "How it ended", "Requested by"), rows, "exports")))


def _past(export: Export) -> tuple[Spans, ...]:
    ended = _ENDED[export.outcome or "failed"] if not export.active else _DOING[export.phase]
    asked: Spans = (Plain("schedule"),) if export.due_at else (actor_span(export.actor),)
    return (
        (Plain(format_time(export.created_at) if export.created_at else "–"),),
        (Plain(export.kind),),
        (Plain(f"{ended}{f': {one_line(export.message)}' if export.message else ''}"),),
        asked,
    )
