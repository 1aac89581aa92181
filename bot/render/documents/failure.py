"""How a run went wrong: the reason, the log's end, the reference, the next command."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.run import Run
from bot.render.document import Block, Code, Element, Plain, Text, say, tell

LOG_LINES = 25
"""Last lines of a log that are shown; the live log has all."""


def why(run: Run, log: Sequence[str] = ()) -> tuple[Element, ...]:
    """Elements that say why `run` did not end well. `log`: its lines, already redacted."""
    said: list[Element] = []
    lines = tuple(run.message.rstrip().split("\n")) if run.message.strip() else ()
    if len(lines) > 1 and run.outcome in ("failed", "timed_out", "interrupted"):
        said.append(Block(tuple((line,) for line in lines), most=40))
    elif lines:
        said += tell(run.message)
    if log:
        ended = tuple((line,) for line in log)
        said.append(Block(ended, of="lines", see="see the log", tail=True, most=LOG_LINES))
    if run.reference:
        said.append(Text((Plain("Reference: "), Code(run.reference))))
    if run.next_step:
        said.append(Text((Plain("Next: "), *say(run.next_step))))
    return tuple(said)
