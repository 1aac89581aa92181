"""Whether the default branch is not applied where it should be, since its apply failed: what an issue is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.ports.store import Tables
from bot.domain.run import Run
from bot.domain.sync import CONCLUDED, FAILED, Sync
from bot.domain.target import Target

CONSIDERED = 50
"""Latest syncs of a target that are looked at."""


@dataclass(frozen=True)
class Failure:
    """Applies of the default branch that failed on a target, one after the other. run: the latest of them. first: id of
    the sync with which it began. times: how often it failed."""

    sync: Sync
    run: Run
    first: str
    times: int


def open_failure(tables: Tables, target: Target) -> Failure | None:
    """Return the failure that is not fixed; None if the default branch, or something newer, was applied since."""
    concluded = [one for one in tables.syncs.of_target(target, CONSIDERED) if one.status in CONCLUDED]
    failed: list[Sync] = []
    for sync in concluded:
        if sync.status not in FAILED:
            break
        if sync.mode == "apply":
            failed.append(sync)
    if not failed:
        return None
    run = _latest_run(tables, failed[0])
    release = tables.releases.newest(target)
    fixed = (
        release is not None
        and release.active
        and release.verified
        and release.created_at > _ended(run, failed[0])
    )
    if run is None or fixed:
        return None
    return Failure(failed[0], run, failed[-1].id, len(failed))


def _latest_run(tables: Tables, sync: Sync) -> Run | None:
    """Return the apply that failed, or else the plan."""
    applied = tables.runs.newest(sync.target, pull=sync.pull, kind="apply")
    return applied if applied is not None and applied.sync == sync.id else tables.runs.get(sync.id)


def _ended(run: Run | None, sync: Sync) -> datetime:
    return (run.finished_at if run else None) or sync.created_at
