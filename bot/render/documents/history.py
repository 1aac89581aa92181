"""The recorded states of a target."""

from __future__ import annotations

from bot.domain.release import Verification
from bot.domain.results import History
from bot.domain.state import StateVersion
from bot.render.document import Bold, Code, Document, Element, Heading, Note, Plain, Spans, Table, Text, say
from bot.render.words import at, count

CHECKS: dict[Verification, str] = {
    "none": "applied",
    "running": "checks run",
    "passed": "✅ checks passed",
    "failed": "❌ checks failed",
}


def history(result: History) -> Document:
    title = f"State versions of {result.target}"
    heading = Heading((Plain(title),))
    if not result.versions:
        return Document(title, (heading, Text((Plain("No state was recorded here yet."),))))
    head = ("Serial", "Recorded", "By", "Commit", "Run", "Resources", "Release", "Size")
    said: list[Element] = [
        heading,
        Table(head, tuple(_row(version, result) for version in result.versions), "versions"),
    ]
    if result.damaged:
        said.append(Text(_damaged(result)))
    if result.more:
        said.append(Note((Plain("There are older ones."),)))
    return Document(title, tuple(said), "bad" if result.damaged else "plain")


def _row(version: StateVersion, result: History) -> tuple[Spans, ...]:
    mark = (Plain(" ⚠️ damaged"),) if version.id in result.damaged else ()
    return (
        (Bold(str(version.serial)), *mark),
        (Plain(at(version.created_at)),),
        say(version.actor) if version.actor else (Plain("not by a run"),),
        (Code(version.commit[:7]),) if version.commit else (),
        (Code(version.run_id[:12]),) if version.run_id else (),
        (Plain(f"{count(version.resources, 'resource')}, {count(version.outputs, 'output')}"),),
        _release(version, result),
        (Plain(_size(version.size)),),
    )


def _release(version: StateVersion, result: History) -> Spans:
    release = result.releases.get(version.release)
    said = CHECKS[release.verification] if release else ""
    if version.reverts:
        said = f"{said}, a revert" if said else "a revert"
    return (Plain(said),) if said else ()


def _damaged(result: History) -> Spans:
    serials = ", ".join(str(one.serial) for one in result.versions if one.id in result.damaged)
    return (
        Bold(f"Not readable any more: {serials}."),
        Plain(" Their bytes are not those that were written. The others can be read."),
    )


def _size(size: int) -> str:
    if size >= 1 << 20:
        return f"{size / (1 << 20):,.1f} MB"
    return f"{size / 1024:.1f} KB" if size >= 1024 else f"{size} B"
