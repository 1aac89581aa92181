"""Find the end of the failing step in the log of a GitHub Actions job."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.domain.why.model import WorkflowJob

MAX_LINE = 500
"""Characters kept of a line."""

_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?Z ?")
_ANSI = re.compile(r"\x1b\[[0-9;?]{0,20}[ -/]?[@-~]|\x1b\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)")
_MARK = re.compile(r"##\[(?:group|command|warning|notice|debug)\]")
_ERROR = "##[error]"


def failing_lines(job: WorkflowJob, log: str) -> tuple[str, ...]:
    """Return the lines of the failing step up to its last error, without timestamps and colours.

    GitHub writes the lines of all steps one after another; only their times tell whose they are. If those are not known,
    the lines up to the job's last error are returned.
    """
    lines = [_line(one) for one in log.removeprefix("\ufeff").splitlines()]
    within = [text for at, text in lines if _is_within(job, at)]
    texts = within if any(_ERROR in one for one in within) else [text for _, text in lines]
    last = max((index for index, text in enumerate(texts) if _ERROR in text), default=len(texts) - 1)
    return tuple(_shown(text) for text in texts[: last + 1] if not text.startswith("##[endgroup]"))


def _line(raw: str) -> tuple[datetime | None, str]:
    found = _STAMP.match(raw)
    if found is None:
        return None, raw
    try:
        return datetime.fromisoformat(f"{found[1]}+00:00"), raw[found.end() :]
    except ValueError:
        return None, raw[found.end() :]


def _is_within(job: WorkflowJob, at: datetime | None) -> bool:
    """Whether a line was written while the step ran, whose times GitHub gives in whole seconds."""
    if at is None or job.started_at is None:
        return False
    return job.started_at <= at and (job.ended_at is None or at <= job.ended_at + timedelta(seconds=1))


def _shown(text: str) -> str:
    plain = _MARK.sub("", _ANSI.sub("", text)).replace(_ERROR, "Error: ").rstrip()
    return plain.replace("Error: Error: ", "Error: ")[:MAX_LINE]


def last_lines(lines: Sequence[str], most: int) -> tuple[str, ...]:
    """Return the last lines that say something."""
    return tuple([one for one in lines if one.strip()][-most:])
