"""The issue about a failed apply of the default branch, and the comment that closes it."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.release import Release
from bot.domain.run import Run
from bot.domain.target import Target, command
from bot.render.document import Bold, Code, Document, Element, Link, Note, Plain, Text
from bot.render.documents.run_failure import run_failure
from bot.render.format import OUTCOMES, format_time
from bot.render.markup import to_spans


def issue(run: Run, times: int, link: str = "") -> Document:
    """Return what failed, where its log is, and what to do. run: the apply, or the plan before it. times: how often it
    failed in a row. link: address of the log."""
    what = "plan" if run.kind == "sync" else run.word
    ended = "was not verified" if run.outcome == "applied" else OUTCOMES[run.outcome or "failed"]
    title = f"{run.target}: {what} of the default branch {ended}"
    number = f", which has #{run.pull}" if run.pull else ""
    body: list[Element] = [
        Text(
            (
                Plain("The "),
                Plain(what),
                Plain(" of "),
                Code(run.commit[:7]),
                Plain(f"{number}, to "),
                Bold(str(run.target)),
                Plain(f" {ended}."),
            )
        ),
        *run_failure(replace(run, next_step="")),
    ]
    if link.startswith("http"):
        body.append(Text((Link("Log of the run", link),)))
    if run.pull:
        step = f"Next: fix it in a new pull request, or run `{command('plan', run.target)}` on #{run.pull} to try again."
        body.append(Text(to_spans(step)))
    last = f", the last time {format_time(run.finished_at)}" if run.finished_at else ""
    if times > 1:
        body.append(Note((Plain(f"Failed {times} times in a row{last}."),)))
    body.append(Note((Plain("Towpath closes this issue when the environment is in sync again."),)))
    return Document(title, tuple(body), "bad")


def issue_closed(target: Target, release: Release | None) -> Document:
    """Return the comment that closes the issue. release: what is deployed now."""
    commit = f" `{release.commit[:7]}` is deployed." if release is not None and release.active else ""
    return Document(
        f"{target}: fixed", (Text(to_spans(f"Fixed: {target} is in sync again.{commit}")),), "good"
    )
