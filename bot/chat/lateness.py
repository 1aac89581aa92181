"""Commands that are processed long after they were written: those that change something are not executed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.domain.chat import Late, Reply, Result, Word
from bot.domain.refusal import Refused
from bot.domain.run import Origin
from bot.domain.sanitize import outside
from bot.domain.visibility import is_late
from bot.services.context import Context

SKEW = timedelta(hours=1)
"""How far the platform's clock may be ahead of the bot's."""


def refuse_late(context: Context, origin: Origin, again: str) -> Refused | None:
    """Refuse what is too old to change anything: much may have happened since, and its author may have found another way.
    What had begun in time goes on after a crash. again: the next step."""
    written, now = origin.written_at, context.now()
    if written is None or not is_late(written, now):
        return None
    with context.store.read() as tables:
        begun = tables.runs.of_delivery(origin.delivery, written - SKEW)
    if any(run.origin.index == origin.index for run in begun):
        return None
    return Refused(
        "late",
        f"Not executed: this was written on {written:%Y-%m-%d %H:%M} UTC and reached Towpath "
        f"{_length(now - written)} later.",
        again,
    )


def same_command(words: Sequence[Word]) -> str:
    """Return the next step that offers the same command."""
    text = " ".join(f'"{word.text}"' if word.quoted else word.text for word in words)
    return f"If you still want it, run `{outside(text)}`."


def mark_late(context: Context, origin: Origin, result: Result) -> Reply:
    """Return the answer to a command, marked as late if it is: only what changes nothing is answered late."""
    written, now = origin.written_at, context.now()
    return Late(result, written, now - written) if written is not None and is_late(written, now) else result


def _length(delay: timedelta) -> str:
    minutes = int(delay.total_seconds()) // 60
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
