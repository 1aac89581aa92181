"""The runs that a command started."""

from __future__ import annotations

from bot.domain.chat import RunsStarted
from bot.domain.run import Run
from bot.render.document import Bold, Code, Document, Items, Plain, Spans, Text
from bot.render.format import join_names, requested_by

_VERBS = {
    "plan": "Planning",
    "apply": "Applying",
    "destroy": "Destroying",
    "sleep": "Putting to sleep",
    "wake": "Waking",
    "revert": "Reverting",
    "drift check": "Checking for drift in",
    "sync": "Planning the default branch in",
}


def runs_started(result: RunsStarted) -> Document:
    if not result.runs:
        return Document("Nothing to do", (Text((Plain("Nothing to do."),)),))
    kinds = list(dict.fromkeys(run.word for run in result.runs))
    title = "; ".join(
        f"{_VERBS[kind]} {join_names([str(run.target) for run in result.runs if run.word == kind])}"
        for kind in kinds
    )
    lines = tuple(_line(run, result) for run in result.runs)
    lines += tuple(
        (Bold(str(one)), Plain(" is planned after that, with their outputs.")) for one in result.later
    )
    return Document(title, (Text(lines[0]) if len(lines) == 1 else Items(lines, "runs"),), "good")


def _line(run: Run, result: RunsStarted) -> Spans:
    spans: Spans = (
        Plain(f"{_VERBS[run.word]} "),
        Bold(str(run.target)),
        Plain(" at "),
        Code(run.commit[:7]),
    )
    before = result.behind.get(run.target.key)
    if before is None:
        return (*spans, Plain("."))
    if before.target == run.target:
        return (*spans, Plain(f" once the {before.word} of "), *requested_by(before), Plain(" has finished."))
    whose = (Plain(" for "), *requested_by(before)) if before.pull != run.pull else ()
    return (*spans, Plain(f" after the {before.word} of {before.target}"), *whose, Plain("."))
