"""Small things that all documents say in the same way."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.lock import Lock
from bot.domain.ports.forge import PullRequest
from bot.domain.run import Run
from bot.render.document import Code, Link, Plain, Spans, join, who

LONGEST_REASON = 300
"""Characters of what somebody gave as a reason, or of a title; nobody reads more in a table."""

BAD = ("failed", "interrupted", "timed_out")
ENDED = {
    "planned": "planned",
    "applied": "applied",
    "checked": "looked",
    "failed": "failed",
    "refused": "was refused",
    "cancelled": "was cancelled",
    "superseded": "was replaced by a newer one",
    "interrupted": "was interrupted",
    "timed_out": "took too long and was stopped",
}


def at(moment: datetime) -> str:
    """`22 Nov 14:03 UTC`. An absolute time: a relative one would be another text at each rendering."""
    return f"{moment.day} {moment:%b %H:%M} UTC"


def day(moment: datetime) -> str:
    """`Fri 27 Nov 17:00 UTC`: with the day of the week, by which people know freezes."""
    return f"{moment:%a} {at(moment)}"


def took(length: timedelta) -> str:
    """`8 s`, `2 min 5 s`, `1 h 4 min`."""
    seconds = round(length.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def commit(sha: str, pull: PullRequest | None) -> Spans:
    """The short commit, linked where the repository's address is known."""
    if not sha:
        return ()
    base, found, _ = (pull.url if pull else "").partition("/pull/")
    return (Link(sha[:7], f"{base}/commit/{sha}"),) if found else (Code(sha[:7]),)


def pull_name(number: int, url: str = "") -> Link | Plain:
    return Link(f"#{number}", url) if url else Plain(f"#{number}")


def claim(lock: Lock) -> Spans:
    """Who holds a lock, why and till when: `#9 (@bob): reason, since 22 Nov 14:03 UTC`."""
    owner: Spans = (
        (pull_name(lock.pull, lock.url), Plain(" ("), who(lock.actor), Plain(")"))
        if lock.pull
        else (who(lock.actor),)
    )
    reason = f": {cut(lock.reason)}" if lock.reason else ""
    until = f", until {at(lock.expires_at)}" if lock.expires_at else ""
    return (*owner, Plain(f"{reason}, since {at(lock.created_at)}{until}"))


def cut(text: str) -> str:
    """Somebody's own words in one line of bearable length."""
    line = " ".join(text[: 4 * LONGEST_REASON].split())
    return line if len(line) <= LONGEST_REASON else f"{line[: LONGEST_REASON - 1]}…"


def count(number: int, word: str) -> str:
    """`1 change`, `3 changes`."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def named(targets: list[str], most: int = 4) -> str:
    """`ci, staging and 3 more`."""
    if len(targets) > most:
        return f"{', '.join(targets[: most - 1])} and {len(targets) - most + 1} more"
    return " and ".join([", ".join(targets[:-1]), targets[-1]] if len(targets) > 1 else targets)


def asked(run: Run) -> Spans:
    """Who asked for a run and where."""
    number = (Plain(f"#{run.pull}"),) if run.pull else ()
    return join([number, (who(run.actor),)], " by ")
