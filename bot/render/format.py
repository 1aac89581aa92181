"""Formats that all documents share: times, commits, locks, counts."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.lock import Lock
from bot.domain.ports.forge import PullRequest
from bot.domain.run import Run
from bot.render.document import Code, Link, Plain, Spans
from bot.render.markup import actor_span, join_spans

MAX_REASON = 300
"""Characters of a reason or a title; nobody reads more in a table."""

FAILED = ("failed", "interrupted", "timed_out")
OUTCOMES = {
    "planned": "planned",
    "applied": "applied",
    "destroyed": "destroyed",
    "checked": "completed",
    "done": "done",
    "failed": "failed",
    "refused": "refused",
    "cancelled": "cancelled",
    "superseded": "superseded by a newer one",
    "interrupted": "interrupted",
    "timed_out": "timed out",
}
"""How a run ended, in words that follow "apply" or a target."""


def format_time(moment: datetime) -> str:
    """`22 Nov 14:03 UTC`. Absolute, since a relative time would change the text with each rendering."""
    return f"{moment.day} {moment:%b %H:%M} UTC"


def format_day(moment: datetime) -> str:
    """`Fri 27 Nov 17:00 UTC`: with the day of the week, by which people know freezes."""
    return f"{moment:%a} {format_time(moment)}"


def format_duration(length: timedelta) -> str:
    """`8 s`, `2 min 5 s`, `1 h 4 min`."""
    seconds = round(length.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def format_size(size: int) -> str:
    """`812 B`, `3.4 KB`, `1.2 MB`: of 1,024 each."""
    if size < 1024:
        return f"{size} B"
    for unit, least in (("GB", 1 << 30), ("MB", 1 << 20)):
        if size >= least:
            return f"{size / least:,.1f} {unit}"
    return f"{size / 1024:.1f} KB"


def commit_link(sha: str, pull: PullRequest | None) -> Spans:
    """Return the short commit, linked if the repository's address is known."""
    if not sha:
        return ()
    base, found, _ = (pull.url if pull else "").partition("/pull/")
    return (Link(sha[:7], f"{base}/commit/{sha}"),) if found else (Code(sha[:7]),)


def pull_link(number: int, url: str = "") -> Link | Plain:
    return Link(f"#{number}", url) if url else Plain(f"#{number}")


def locked_by(lock: Lock) -> Spans:
    """Return who holds a lock, since when, until when and why: `locked by #9 (@bob) since 22 Nov 14:03 UTC`."""
    owner: Spans = (
        (pull_link(lock.pull, lock.url), Plain(" ("), actor_span(lock.actor), Plain(")"))
        if lock.pull
        else (actor_span(lock.actor),)
    )
    until = f" until {format_time(lock.expires_at)}" if lock.expires_at else ""
    reason = f": {one_line(lock.reason)}" if lock.reason and not lock.pull else ""
    return (Plain("locked by "), *owner, Plain(f" since {format_time(lock.created_at)}{until}{reason}"))


def one_line(text: str) -> str:
    """Return someone's text in one line of limited length."""
    line = " ".join(text[: 4 * MAX_REASON].split())
    return line if len(line) <= MAX_REASON else f"{line[: MAX_REASON - 1]}…"


def count(number: int, noun: str) -> str:
    """`1 change`, `3 changes`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def join_names(names: list[str], most: int = 4) -> str:
    """`ci, staging and 3 more`."""
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def requested_by(run: Run) -> Spans:
    """`#12 by @ann`: the pull request of a run and its requester."""
    number = (Plain(f"#{run.pull}"),) if run.pull else ()
    return join_spans([number, (actor_span(run.actor),)], " by ")
