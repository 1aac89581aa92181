"""Delete expired records, and define how long each kind is kept.

Kept forever: runs (except drift checks without a new result), plans without their files, releases, states, approvals,
the audit record, who pushed which commit, and whatever exists once for each pull request, person or target.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bot.domain.ports.inbox import Inbox
from bot.domain.ports.store import Tables
from bot.domain.ports.surfaces import SurfaceKind
from bot.services.context import Context
from bot.services.previews import forget_ended_instances
from bot.services.states import expire_unsaved

log = structlog.get_logger()

DELIVERIES = timedelta(days=14)
"""Deliveries, so that none is processed twice: GitHub offers redelivery for 3 days, Slack retries within the hour, and
people look back two weeks at most."""
WORK = DELIVERIES
"""Finished work in the queues, which prevents a delivery or run from being enqueued again: as long as deliveries."""
PLAN_FILES = timedelta(days=14)
"""Files of plans that can no longer be applied. They help to find out what an apply did, and two weeks are enough for
that; they are the largest rows, and contain secrets."""
LOGS = timedelta(days=90)
"""Logs of finished runs, and Terraform's errors of those that failed: one quarter, as far back as change reviews look."""
PLAN_PAGES = LOGS
"""Pages of plans that can no longer be applied: what was approved can be read for as long as how it was applied."""
CHECKS = LOGS
"""Drift checks without a new result: a schedule makes up to a hundred thousand a year for each environment."""
FINDINGS = timedelta(days=365)
"""Drift results: one year, so that seasonal changes are recognised. A target's newest one is kept forever."""
ARTIFACTS = LOGS
"""Artifacts of instances whose pull request was closed: nobody needs them any more, and they are secrets."""
PUSHED = timedelta(days=14)
"""States that could not be uploaded and were pushed later: they are recorded as versions."""
ANSWERS = timedelta(days=30)
"""Posted replies and reactions. Each also prevents its command from being run twice, so they are kept longer than
deliveries."""
GROUPS = timedelta(days=1)
"""Checks on the merge queue's commits: GitHub dissolves a group after some hours at most."""

PLAN_USES = timedelta(days=1)
"""Requests for plans: they are counted for an hour."""

KINDS: dict[SurfaceKind, timedelta] = {
    "reply": ANSWERS,
    "reaction": ANSWERS,
    "queue": GROUPS,
    "drift": ANSWERS,
}
"""Other surfaces are kept forever: a pull request has one of each, and may be reopened."""

BATCH = 200
"""Rows (or runs with their logs) per transaction, which blocks other writers on SQLite for some milliseconds."""
MAX_BATCHES = 50
"""Batches of one kind per call; the rest is left to the next call."""


def delete_expired(context: Context, inbox: Inbox) -> dict[str, int]:
    """Delete expired records, and return how many of each kind. Safe to repeat, and to run in two processes at once."""
    now = context.now()
    tasks: dict[str, Callable[[Tables], int]] = {
        "plan files": lambda tables: tables.plans.forget_files(now - PLAN_FILES, BATCH),
        "plan pages": lambda tables: tables.plans.forget_pages(now - PLAN_PAGES, BATCH),
        "logs": lambda tables: tables.runs.forget_logs(now - LOGS, BATCH),
        "failures": lambda tables: tables.failures.forget(now - LOGS, BATCH),
        "findings": lambda tables: tables.drifts.forget(now - FINDINGS, BATCH),
        "drift checks": lambda tables: tables.runs.forget_drift_checks(now - CHECKS, BATCH),
        "artifacts": lambda tables: tables.artifacts.forget(now - ARTIFACTS, BATCH),
        "pushed states": lambda tables: tables.unsaved.forget(now - PUSHED, BATCH),
        "credentials": lambda tables: tables.credentials.forget(now, BATCH),
        "tickets": lambda tables: tables.artifacts.forget_tickets(now, BATCH),
        "plan uses": lambda tables: tables.plan_uses.forget(now - PLAN_USES, BATCH),
        "codes": lambda tables: tables.identities.forget_codes(now, BATCH),
    }
    for kind, span in KINDS.items():
        tasks[f"{kind} surfaces"] = _surfaces(kind, now - span)
    deleted = {name: _batches(_in_transaction(context, task)) for name, task in tasks.items()}
    deleted["instances"] = _batches(lambda: forget_ended_instances(context, BATCH))
    deleted["unsaved states"] = expire_unsaved(context)
    deleted["work"] = _batches(lambda: context.work.forget(now - WORK, BATCH))
    deleted["deliveries"] = inbox.forget(now - DELIVERIES)
    deleted = {name: count for name, count in deleted.items() if count}
    if deleted:
        log.info(
            "deleted expired records", **{name.replace(" ", "_"): count for name, count in deleted.items()}
        )
    return deleted


def _surfaces(kind: SurfaceKind, before: datetime) -> Callable[[Tables], int]:
    return lambda tables: tables.surfaces.forget([kind], before, BATCH)


def _in_transaction(context: Context, task: Callable[[Tables], int]) -> Callable[[], int]:
    def once() -> int:
        with context.store.begin() as tables:
            return task(tables)

    return once


def _batches(once: Callable[[], int]) -> int:
    total = 0
    for _ in range(MAX_BATCHES):
        count = once()
        total += count
        if count < BATCH:
            break
    return total
