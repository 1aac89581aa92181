"""Why a run failed: the reason, the end of its log, the reference, the next command."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.run import Run
from bot.render.document import Block, Code, Element, Plain, Text
from bot.render.markup import to_elements, to_spans

LOG_LINES = 25
"""Last lines of a log that are shown; the live log has all."""


def run_failure(run: Run, log: Sequence[str] = ()) -> tuple[Element, ...]:
    """Say why `run` did not succeed. log: its lines, already redacted."""
    elements: list[Element] = []
    lines = tuple(run.message.rstrip().split("\n")) if run.message.strip() else ()
    if len(lines) > 1 and run.outcome in ("failed", "timed_out", "interrupted"):
        elements.append(Block(tuple((line,) for line in lines), most=40))
    elif lines:
        elements += to_elements(run.message)
    if log:
        groups = tuple((line,) for line in log)
        elements.append(Block(groups, of="lines", see="see the log", tail=True, most=LOG_LINES))
    if run.reference:
        elements.append(Text((Plain("Reference: "), Code(run.reference))))
    if run.next_step:
        elements.append(Text((Plain("Next: "), *to_spans(run.next_step))))
    return tuple(elements)
