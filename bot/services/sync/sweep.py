"""The clock's part: catch up on merges whose events never arrived, and go on with what waited."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from bot.domain.policy import Policy
from bot.domain.ports.forge import ForgeError, PullRequest
from bot.domain.sync import Sync
from bot.domain.target import Target
from bot.errors import TransientError, UserError
from bot.services.context import Context, show_run, stable_id
from bot.services.sync.attempt import attempt, hint_of
from bot.services.sync.conclude import conclude
from bot.services.sync.merged import synced_targets
from bot.services.sync.request import SyncRequest, request_sync
from bot.services.targets import affected_stacks, default_policy, fetch, readable_policy, tip_of

log = structlog.get_logger()

FRESH = 300.0
"""Seconds for which a branch's tip that was read last is fresh enough: an event usually tells much sooner."""
MOST = 2
"""Syncs that are queued or running at a time where the clock asks for them, so that a day's merges do not flood."""
MOST_PULLS = 20
"""Merged pull requests of one repository that are looked at in one turn, the newest."""
RETRIED_AT_ONCE = 2

LEFT = timedelta(minutes=1)
"""How long after its plan was made a sync is taken for left behind by a worker that died."""
SOMETHING = (ForgeError, TransientError, UserError)


def sweep_syncs(context: Context) -> None:
    """Go on with what waited, then sync targets that are behind the default branch, the oldest first."""
    for sync in _interrupted(context):
        conclude(context, sync.id)
    for sync in _ready(context)[:RETRIED_AT_ONCE]:
        try:
            attempt(context, sync)
        except SOMETHING as error:
            log.warning("an apply of main is tried again later", sync=sync.id, error=str(error)[:200])
    for one in _behind(context):
        with context.store.begin() as tables:
            tables.locks.lock_targets(one.target)
            request_sync(context, tables, one)


def _interrupted(context: Context) -> list[Sync]:
    """Return syncs whose plan is made and was not acted on, since the process died in between."""
    with context.store.read() as tables:
        planning = tables.syncs.in_status("planning")
        runs = tables.runs.known(one.id for one in planning)
    now = context.now()
    return [
        one
        for one in planning
        if (run := runs.get(one.id)) and run.finished_at and now - run.finished_at > LEFT
    ]


def _ready(context: Context) -> list[Sync]:
    """Return the waiting syncs for which something changed since they were refused, after looking at those whose approval
    ended without an apply."""
    _leave_ended_approvals(context)
    with context.store.read() as tables:
        waiting = tables.syncs.in_status("waiting")
    found = []
    for one in waiting:
        policy = readable_policy(context, one.target.repository, FRESH)
        environment = policy.environments.get(one.target.environment) if policy else None
        if policy is None or environment is None or environment.on_merge != "apply":
            continue
        with context.store.read() as tables:
            if hint_of(tables, policy, one) != one.hint:
                found.append(one)
    return found


def _leave_ended_approvals(context: Context) -> None:
    """Try those again whose approval was void, since something moved; what people rejected or let expire is theirs to ask
    for again."""
    with context.store.read() as tables:
        asking = tables.syncs.in_status("approval")
        newest = {one.id: tables.approvals.newest(one.target, one.pull) for one in asking}
    for one in asking:
        approval = newest[one.id]
        if approval is not None and approval.live:
            continue
        with context.store.begin() as tables:
            if approval is not None and approval.status == "dead":
                tables.syncs.move(one.id, ["approval"], "waiting", hint="", message=approval.why)
                continue
            run = tables.runs.get(one.id)
            if tables.syncs.move(one.id, ["approval"], "differs", message="The approval has ended.") and run:
                show_run(tables, context.now(), run)


def _behind(context: Context) -> list[SyncRequest]:
    """Return what to sync now: targets whose newest sync is of an older commit that has other files for them."""
    with context.store.read() as tables:
        repositories = [one.name for one in tables.pulls.repositories()]
        room = MOST - sum(not run.waits_for for run in tables.runs.active(kind="sync"))
    if room <= 0:
        return []
    found: list[tuple[datetime, SyncRequest]] = []
    for repository in repositories:
        try:
            policy = default_policy(context, repository, FRESH)
            if policy is not None:
                found += _behind_in(context, repository, policy)
        except SOMETHING as error:
            log.warning("syncs postponed", repository=repository, error=str(error)[:200])
    ordered = sorted(found, key=lambda one: (one[0], one[1].target))
    return [request for _since, request in ordered][:room]


def _behind_in(context: Context, repository: str, policy: Policy) -> Iterator[tuple[datetime, SyncRequest]]:
    """Yield the requests of one repository, each with the time since when its target is behind."""
    targets = list(synced_targets(context, policy, repository))
    if not targets:
        return
    branch = context.known(repository).default_branch
    tip = tip_of(context, repository, branch, FRESH)
    with context.store.read() as tables:
        newest = tables.syncs.newest_of(targets)
    _begin(context, [one for one in targets if one not in newest], tip)
    behind = {target: sync for target, sync in newest.items() if tip not in (sync.commit, sync.seen)}
    if not behind:
        return
    fetch(context, repository, [tip], [f"refs/heads/{branch}"])
    merged: list[PullRequest] | None = None
    for target, sync in behind.items():
        if not _concerned(context, policy, sync, branch, tip):
            with context.store.begin() as tables:
                tables.syncs.update(sync.id, seen=tip)
            continue
        if merged is None:
            merged = _merged(context, repository, branch)
        pulls = [one for one in merged if _touches(context, policy, target, sync, one, tip)]
        since = min((one.closed_at for one in pulls if one.closed_at), default=sync.created_at)
        yield since.astimezone(UTC), SyncRequest(target, policy, tip, tuple(one.number for one in pulls))


def _concerned(context: Context, policy: Policy, sync: Sync, branch: str, tip: str) -> bool:
    """Whether the default branch has other files for the sync's target by now; yes where somebody rewrote its history."""
    repository = sync.target.repository
    try:
        fetch(context, repository, [sync.commit], [f"refs/heads/{branch}"])
        changed = context.git.changed(repository, sync.commit, tip)
    except UserError:
        return True
    stacks = affected_stacks(context, repository, tip, policy, changed)
    return sync.target.stack in [one.name for one in stacks]


def _begin(context: Context, targets: Sequence[Target], tip: str) -> None:
    """Record where main is for targets that were never synced: what is merged from now on is not missed."""
    for target in targets:
        with context.store.begin() as tables:
            tables.locks.lock_targets(target)
            if tables.syncs.newest(target) is None:
                baseline = stable_id(target.key, tip, "baseline")
                now = context.now()
                tables.syncs.add(Sync(baseline, target, tip, (), "", now, "baseline", seen=tip))


def _merged(context: Context, repository: str, branch: str) -> list[PullRequest]:
    """Return the pull requests that were merged last, the oldest merge first, and store them."""
    found = [one for one in context.forge.merged_pulls(repository, branch) if one.closed_at and one.merge_sha]
    found = sorted(found, key=lambda one: (one.closed_at or datetime.min.replace(tzinfo=UTC), one.number))
    with context.store.begin() as tables:
        for pull in found[-MOST_PULLS:]:
            tables.pulls.save(pull)
    return found[-MOST_PULLS:]


def _touches(
    context: Context, policy: Policy, target: Target, sync: Sync, pull: PullRequest, tip: str
) -> bool:
    """Whether a pull request was merged after the commit of the target's sync, and changes its stack."""
    git, repository = context.git, pull.repository
    try:
        if not git.is_ancestor(repository, pull.merge_sha, tip):
            return False
        if git.is_ancestor(repository, pull.merge_sha, sync.commit):
            return False
        fetch(context, repository, [pull.base_sha, pull.head_sha], [f"refs/pull/{pull.number}/head"])
        changed = git.changed(repository, pull.base_sha, pull.head_sha)
    except UserError:
        return False  # its commits are gone
    stacks = affected_stacks(context, repository, pull.head_sha, policy, changed)
    return target.stack in [one.name for one in stacks]
