"""A run that ended, as a message of its own."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.run import Plan, Run
from bot.render.document import Bold, Code, Command, Document, Element, Plain, Spans, Text, Tone, join
from bot.render.documents.failure import why
from bot.render.documents.plan import counts, losses, summary_of
from bot.render.words import ENDED, asked, took

_TONES: dict[str, Tone] = {
    "planned": "good",
    "applied": "good",
    "failed": "bad",
    "interrupted": "bad",
    "timed_out": "bad",
}


def ended(run: Run, plan: Plan | None = None, log: Sequence[str] = (), next_step: str = "") -> Document:
    """`run` is finished; `plan`: the one it made or applied; `log`: its lines, for one that did not end well;
    `next_step`: the command that leads on from a plan, "" where none does."""
    outcome = run.outcome or "failed"
    summary = summary_of(plan)
    body: list[Element] = [
        Text(_headline(run, outcome, counts(summary, done=outcome == "applied") if summary else ()))
    ]
    if outcome == "planned":
        body += losses(summary) if summary else ()
        if next_step:
            body.append(Text((Plain("Next: "), Command(next_step))))
    elif outcome != "applied":
        body += why(run, log if _TONES.get(outcome) == "bad" else ())
    what = run.target if outcome in ("planned", "applied") else f"{run.word} of {run.target}"
    title = f"{what} {_done(run, outcome)}"
    return Document(title[0].upper() + title[1:], tuple(body), _TONES.get(outcome, "warning"))


def _headline(run: Run, outcome: str, numbers: Spans) -> Spans:
    """`**prod** applied: +3 ~1 -0 in 12 s · abc1234 · #12 by @ann`."""
    well = outcome in ("planned", "applied")
    said = f" {_done(run, outcome)}" if well else f": the {run.word} {ENDED[outcome]}"
    after: list[Spans] = [(Code(run.commit[:7]),), asked(run)]
    length = (Plain(f" in {took(run.took)}" if well else f" after {took(run.took)}"),) if run.took else ()
    shown = (Plain(": "), *numbers) if well and numbers else ()
    return (Bold(str(run.target)), Plain(said), *shown, *length, Plain(" · "), *join(after))


def _done(run: Run, outcome: str) -> str:
    return "reverted" if outcome == "applied" and run.reverts else ENDED[outcome]
