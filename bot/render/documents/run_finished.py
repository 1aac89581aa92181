"""A run that ended, as a message in the card's thread."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.run import Plan, Run
from bot.render.document import Bold, Code, Command, Document, Element, Plain, Spans, Text, Tone
from bot.render.documents.plan import counts, full_plan, summary_of
from bot.render.documents.plan_overview import destroyed
from bot.render.documents.run_failure import run_failure
from bot.render.format import OUTCOMES, format_duration, requested_by
from bot.render.markup import join_spans

_TONES: dict[str, Tone] = {
    "planned": "good",
    "applied": "good",
    "failed": "bad",
    "interrupted": "bad",
    "timed_out": "bad",
}


def run_finished(
    run: Run, plan: Plan | None = None, log: Sequence[str] = (), next_step: str = "", page: str = ""
) -> Document:
    """Describe how `run` ended.

    plan: the one it made or applied. log: its lines, if it did not succeed. next_step: the command to use after a plan,
    or "". page: address of the page with all that the plan changes.
    """
    outcome = run.outcome or "failed"
    summary = summary_of(plan)
    numbers = counts(summary, done=outcome == "applied") if summary else ()
    link = full_plan(plan, {plan.id: page}) if plan and outcome in ("planned", "applied") else ()
    body: list[Element] = [Text(join_spans([_headline(run, outcome, numbers), link]))]
    if outcome == "planned":
        body += destroyed(summary) if summary else ()
        if next_step:
            body.append(Text((Plain("Next: "), Command(next_step))))
    elif outcome != "applied":
        body += run_failure(run, log if _TONES.get(outcome) == "bad" else ())
    subject = run.target if outcome in ("planned", "applied") else f"{run.word} of {run.target}"
    title = f"{subject} {_outcome(run, outcome)}"
    return Document(title[0].upper() + title[1:], tuple(body), _TONES.get(outcome, "warning"))


def _headline(run: Run, outcome: str, numbers: Spans) -> Spans:
    """`**prod** applied: +3 ~1 -0 in 12 s · abc1234 · #12 by @ann`."""
    succeeded = outcome in ("planned", "applied")
    result = f" {_outcome(run, outcome)}" if succeeded else f": {run.word} {OUTCOMES[outcome]}"
    preposition = "in" if succeeded else "after"
    duration = (Plain(f" {preposition} {format_duration(run.took)}"),) if run.took else ()
    shown = (Plain(": "), *numbers) if succeeded and numbers else ()
    origin = join_spans([(Code(run.commit[:7]),), requested_by(run)])
    return (Bold(str(run.target)), Plain(result), *shown, *duration, Plain(" · "), *origin)


def _outcome(run: Run, outcome: str) -> str:
    if run.kind == "sync" and outcome == "planned":
        return "differs from the default branch"
    return "reverted" if outcome == "applied" and run.reverts else OUTCOMES[outcome]
