"""Request syncs: one for each target and commit of the default branch, however often it is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.actors import SYSTEM, Actor
from bot.domain.policy import Policy
from bot.domain.ports.store import Tables
from bot.domain.run import Origin, Run
from bot.domain.sync import Sync
from bot.domain.target import Target
from bot.services.audit import record_run
from bot.services.context import Context, show_run, stable_id
from bot.services.runs import RunEnd, finish_in

NOBODY = Origin()
"""Where a request was made that no person made."""


@dataclass(frozen=True)
class SyncRequest:
    """One request. commit: of the default branch. pulls: numbers of the pull requests that were merged, in that order.
    actor, origin: of a command. seed: what asked, to compare a commit again; "" for the first time."""

    target: Target
    policy: Policy
    commit: str
    pulls: tuple[int, ...]
    actor: Actor = SYSTEM
    origin: Origin = NOBODY
    seed: str = ""


def request_sync(context: Context, tables: Tables, request: SyncRequest) -> tuple[Sync, Run | None]:
    """Compare a target with a commit of the default branch, in the caller's transaction, which holds the target.

    The sync before it is superseded unless its commit is deployed; then the new one speaks for its pull requests, too. A
    sync waits for an apply that runs on the target, which it would see half done. Returns its run as well, None only for
    a baseline.
    """
    target, now = request.target, context.now()
    sync_id = stable_id(target.key, request.commit, "sync", request.seed)
    if known := tables.syncs.get(sync_id):
        return _joined(context, tables, known, request.pulls)
    last = tables.syncs.newest(target)
    if last is not None and last.status == "baseline" and last.commit == request.commit and not request.pulls:
        return last, None
    carried = last.pulls if last is not None and last.unsettled else ()
    pulls = tuple(dict.fromkeys((*(one for one in carried if one not in request.pulls), *request.pulls)))
    deployed, busy = tables.releases.newest(target), tables.runs.active(target=target, kind="apply")
    run = Run(
        id=sync_id,
        kind="sync",
        target=target,
        pull=pulls[-1] if pulls else 0,
        commit=request.commit,
        base_commit=deployed.commit if deployed else _base_of(tables, target, pulls),
        actor=request.actor,
        origin=request.origin,
        sync=sync_id,
        waits_for=busy[0].id if busy else "",
        created_at=now,
    )
    sync = Sync(
        sync_id,
        target,
        request.commit,
        pulls,
        request.policy.environments[target.environment].on_merge,
        now,
        seen=request.commit,
    )
    if last is not None:
        _supersede(context, tables, last, by=sync_id)
    tables.runs.add(run)
    tables.syncs.add(sync)
    if not busy:
        context.work.enqueue(run, tables)
    record_run(context, tables, "sync.asked", run, pulls=list(pulls))
    show_run(tables, now, run)
    return sync, run


def _joined(context: Context, tables: Tables, known: Sync, pulls: tuple[int, ...]) -> tuple[Sync, Run | None]:
    """Let a known sync speak for these pull requests too, and show them its result."""
    run = tables.runs.get(known.id)
    if new := tuple(number for number in pulls if number not in known.pulls):
        # before the others: the last one is the pull request whose plan it is
        tables.syncs.update(known.id, pulls=(*new, *known.pulls))
        if run is not None:
            show_run(tables, context.now(), run)
    return tables.syncs.get(known.id) or known, run


def _base_of(tables: Tables, target: Target, pulls: tuple[int, ...]) -> str:
    """Return the commit before the merges, where nothing is deployed yet."""
    first = tables.pulls.get(target.repository, pulls[0]) if pulls else None
    return first.base_sha if first else ""


def _supersede(context: Context, tables: Tables, last: Sync, *, by: str) -> None:
    """Stop the sync before it, unless it ended; its plan, if it has one, is not applied any more."""
    run = tables.runs.get(last.id)
    if run is not None and run.active:
        tables.runs.update(run.id, superseded_by=by)
        if run.phase == "queued":
            finish_in(context, tables, run, RunEnd("superseded"))
    if last.status in ("planning", "differs", "waiting", "approval", "cancelled"):
        tables.syncs.update(last.id, status="superseded")
    if last.status != "applying":
        tables.plans.take(last.id, "fresh", "superseded")
