"""What a workflow run says about a run: an annotation where the mistake is."""

from __future__ import annotations

import re
from posixpath import normpath

from bot.actions.runner import Runner
from bot.domain.policy import Policy
from bot.domain.run import Run

_PLACE = re.compile(r"^\s*on (?P<file>\S[^\n]*?) line (?P<line>\d+)", re.MULTILINE)


def annotate_run(runner: Runner, run: Run, policy: Policy) -> None:
    """Annotate a run that did not succeed, at the file and line that Terraform names."""
    if succeeded(run):
        return
    place, root = _PLACE.search(run.message), policy.stacks[run.target.stack].root
    where = {"file": normpath(f"{root}/{place['file']}"), "line": place["line"]} if place else {}
    text = run.message or f"The {run.kind} ended: {run.outcome}."
    runner.annotate("error", text, **where, title=f"{run.kind} {run.target}")


def succeeded(run: Run) -> bool:
    """Whether it did what it was for. An apply whose smoke checks failed has a next step."""
    return run.outcome == "planned" or (run.outcome == "applied" and not run.next_step)
