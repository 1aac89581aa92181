"""What is kept for a while only, and for how long.

For good stay runs (but looks for drift that found nothing new), plans without their files, releases, states, approvals
and the audit record; and what there is one of for each pull request, person or target.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bot.domain.ports.inbox import Inbox
from bot.domain.ports.store import Tables
from bot.domain.ports.surfaces import SurfaceKind
from bot.services import lapsing
from bot.services.context import Context

log = structlog.get_logger()

DELIVERIES = timedelta(days=14)
"""How long deliveries are remembered, so that none is worked through twice: GitHub offers redelivery for 3 days, Slack
repeats within the hour, and people look back a fortnight at most."""
WORK = DELIVERIES
"""The queues' record of work that ended, by which a delivery or run is not enqueued again: as long as deliveries."""
PLAN_FILES = timedelta(days=14)
"""Files of plans that can be applied no more: with the run's log and the file one finds out what an apply did, and a
fortnight is time for that. They are the largest rows, and hold secrets."""
LOGS = timedelta(days=90)
"""Logs of runs that ended: a quarter, the span that reviews of changes look back."""
LOOKS = LOGS
"""Looks for drift that found nothing new: a schedule makes up to a hundred thousand a year in each environment."""
FINDINGS = timedelta(days=365)
"""What looks found: a year, so that what comes back each season is seen. The newest of a target stays."""
ARTIFACTS = LOGS
"""Artifacts of instances whose pull request was closed: nobody works there any more, and they are secrets."""
PUSHED = timedelta(days=14)
"""States that could not be uploaded, once they were pushed: they are versions like others since."""
ANSWERS = timedelta(days=30)
"""Answers and reactions that were posted. Each also guards its command against being run twice, so this is longer than
deliveries are remembered."""
GROUPS = timedelta(days=1)
"""Checks of the merge queue's own commits: GitHub takes a group apart once its checks took too long, hours at most."""

KINDS: dict[SurfaceKind, timedelta] = {
    "reply": ANSWERS,
    "reaction": ANSWERS,
    "queue": GROUPS,
    "drift": ANSWERS,
}
"""Other surfaces stay: a pull request has one of each, and it may be opened again."""

BATCH = 200
"""Rows (or runs with their logs) in one transaction: milliseconds, since on SQLite nobody else writes meanwhile."""
MOST = 50
"""Batches of one kind in one go; the rest waits for the next."""


def forget(context: Context, inbox: Inbox) -> dict[str, int]:
    """Delete what was kept for long enough; returns how many of each. Harmless to do twice,
    and at once in two processes."""
    now = context.now()
    chores: dict[str, Callable[[Tables], int]] = {
        "plan files": lambda tables: tables.plans.forget_files(now - PLAN_FILES, BATCH),
        "logs": lambda tables: tables.runs.forget_logs(now - LOGS, BATCH),
        "findings": lambda tables: tables.drifts.forget(now - FINDINGS, BATCH),
        "looks": lambda tables: tables.runs.forget_looks(now - LOOKS, BATCH),
        "artifacts": lambda tables: tables.artifacts.forget(now - ARTIFACTS, BATCH),
        "pushed states": lambda tables: tables.unsaved.forget(now - PUSHED, BATCH),
        "credentials": lambda tables: tables.credentials.forget(now, BATCH),
        "tickets": lambda tables: tables.artifacts.forget_tickets(now, BATCH),
        "codes": lambda tables: tables.identities.forget_codes(now, BATCH),
    }
    for kind, span in KINDS.items():
        chores[f"{kind} surfaces"] = _surfaces(kind, now - span)
    gone = {name: _batches(_within(context, chore)) for name, chore in chores.items()}
    gone["unsaved states"] = lapsing.lapse(context)
    gone["work"] = _batches(lambda: context.work.forget(now - WORK, BATCH))
    gone["deliveries"] = inbox.forget(now - DELIVERIES)
    gone = {name: count for name, count in gone.items() if count}
    if gone:
        log.info(
            "forgotten what was kept for long enough", **{k.replace(" ", "_"): v for k, v in gone.items()}
        )
    return gone


def _surfaces(kind: SurfaceKind, before: datetime) -> Callable[[Tables], int]:
    return lambda tables: tables.surfaces.forget([kind], before, BATCH)


def _within(context: Context, chore: Callable[[Tables], int]) -> Callable[[], int]:
    def once() -> int:
        with context.store.begin() as tables:
            return chore(tables)

    return once


def _batches(once: Callable[[], int]) -> int:
    total = 0
    for _ in range(MOST):
        count = once()
        total += count
        if count < BATCH:
            break
    return total
