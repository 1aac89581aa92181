"""Runs that were made."""

from __future__ import annotations

from bot.domain.results import Started
from bot.domain.run import Run
from bot.render.document import Bold, Code, Document, Items, Plain, Spans, Text
from bot.render.words import asked, named

_DOING = {
    "plan": "Planning",
    "apply": "Applying",
    "revert": "Reverting",
    "look for drift": "Looking for drift in",
}


def started(result: Started) -> Document:
    if not result.runs:
        return Document("Nothing to do", (Text((Plain("There is nothing to do here."),)),))
    words = list(dict.fromkeys(run.word for run in result.runs))
    title = "; ".join(
        f"{_DOING[word]} {named([str(run.target) for run in result.runs if run.word == word])}"
        for word in words
    )
    if len(result.runs) == 1:
        return Document(title, (Text(_one(result.runs[0], result)),), "good")
    return Document(title, (Items(tuple(_one(run, result) for run in result.runs), "runs"),), "good")


def _one(run: Run, result: Started) -> Spans:
    said: Spans = (Plain(f"{_DOING[run.word]} "), Bold(str(run.target)), Plain(" at "), Code(run.commit[:7]))
    before = result.behind.get(run.target.key)
    if before is None:
        return (*said, Plain("."))
    return (*said, Plain(f" as soon as the {before.word} of "), *asked(before), Plain(" there is done."))
