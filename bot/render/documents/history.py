"""The recorded states of a target."""

from __future__ import annotations

from bot.domain.results import History
from bot.domain.state import StateVersion
from bot.render.document import Bold, Code, Document, Heading, Note, Plain, Spans, Table, Text, say
from bot.render.words import at, count


def history(result: History) -> Document:
    title = f"State versions of {result.target}"
    heading = Heading((Plain(title),))
    if not result.versions:
        return Document(title, (heading, Text((Plain("No state was recorded here yet."),))))
    head = ("Serial", "Recorded", "By", "Commit", "Run", "Resources", "Size")
    table = Table(head, tuple(_row(version) for version in result.versions), "versions")
    if result.more:
        return Document(title, (heading, table, Note((Plain("There are older ones."),))))
    return Document(title, (heading, table))


def _row(version: StateVersion) -> tuple[Spans, ...]:
    return (
        (Bold(str(version.serial)),),
        (Plain(at(version.created_at)),),
        say(version.actor) if version.actor else (Plain("not by a run"),),
        (Code(version.commit[:7]),) if version.commit else (),
        (Code(version.run_id[:12]),) if version.run_id else (),
        (Plain(count(version.resources, "resource")),),
        (Plain(_size(version.size)),),
    )


def _size(size: int) -> str:
    return f"{size / 1024:.1f} KB" if size >= 1024 else f"{size} B"
