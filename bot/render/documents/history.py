"""The recorded state versions of a target."""

from __future__ import annotations

from bot.domain.chat import History
from bot.domain.release import Verification
from bot.domain.states import StateVersion
from bot.render.document import Bold, Code, Document, Element, Heading, Note, Plain, Spans, Table, Text
from bot.render.format import count, format_size, format_time
from bot.render.markup import to_spans

VERIFICATIONS: dict[Verification, str] = {
    "none": "applied",
    "running": "checks running",
    "passed": "✅ checks passed",
    "failed": "❌ checks failed",
}


def history(result: History) -> Document:
    title = f"State versions of {result.target}"
    heading = Heading((Plain(title),))
    if not result.versions:
        return Document(title, (heading, Text((Plain("No state has been recorded yet."),))))
    head = ("Serial", "Recorded", "By", "Commit", "Run", "Resources", "Release", "Size")
    elements: list[Element] = [
        heading,
        Table(head, tuple(_row(version, result) for version in result.versions), "versions"),
    ]
    if result.damaged:
        elements.append(Text(_damaged(result)))
    if result.more:
        elements.append(Note((Plain("There are older versions."),)))
    return Document(title, tuple(elements), "bad" if result.damaged else "plain")


def _row(version: StateVersion, result: History) -> tuple[Spans, ...]:
    mark = (Plain(" ⚠️ damaged"),) if version.id in result.damaged else ()
    contents = f"{count(version.resources, 'resource')}, {count(version.outputs, 'output')}"
    return (
        (Bold(str(version.serial)), *mark),
        (Plain(format_time(version.created_at)),),
        to_spans(version.actor) if version.actor else (Plain("outside of runs"),),
        (Code(version.commit[:7]),) if version.commit else (),
        (Code(version.run_id[:12]),) if version.run_id else (),
        (Plain(contents),),
        _release(version, result),
        (Plain(format_size(version.size)),),
    )


def _release(version: StateVersion, result: History) -> Spans:
    release = result.releases.get(version.release)
    parts = [VERIFICATIONS[release.verification]] if release else []
    parts += ["revert"] if version.reverts else []
    return (Plain(", ".join(parts)),) if parts else ()


def _damaged(result: History) -> Spans:
    serials = ", ".join(str(one.serial) for one in result.versions if one.id in result.damaged)
    return (
        Bold(f"Damaged: {serials}."),
        Plain(" The stored bytes differ from what was written. The other versions can be read."),
    )
