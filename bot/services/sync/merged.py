"""A pull request was merged: sync the targets that it changes."""

from __future__ import annotations

from collections.abc import Iterator

import structlog

from bot.domain.policy import Policy
from bot.domain.ports.forge import PullRequest
from bot.domain.refusal import Refusal
from bot.domain.target import Target
from bot.services.context import Context
from bot.services.promotion import plans_frozen
from bot.services.sync.conclude import reconsider
from bot.services.sync.request import SyncRequest, request_sync
from bot.services.targets import before_merge, load_pull_context, touched_stacks

log = structlog.get_logger()

KNOWN = 50
"""Latest syncs of a target among which a pull request is looked for: an event of it may come long after the merge."""


def sync_merged(context: Context, pull: PullRequest) -> None:
    """Sync what a merged pull request changes. Called with each event of it, it asks once; nothing for other branches than
    the default one."""
    if pull.state != "merged" or pull.base_ref != context.known(pull.repository).default_branch:
        return
    try:
        pull_context = load_pull_context(context, pull)
        if not any(env.on_merge for env in pull_context.policy.environments.values()):
            return
        stacks = [stack.name for stack in touched_stacks(context, before_merge(pull_context))]
    except Refusal as refusal:
        log.info("not synced", repository=pull.repository, pull=pull.number, why=refusal.what)
        return
    for target in synced_targets(context, pull_context.policy, pull.repository):
        if target.stack not in stacks:
            continue
        with context.store.begin() as tables:
            tables.locks.lock_targets(target)
            if target in tables.syncs.of_pull([target], pull.number, KNOWN):
                continue
            request = SyncRequest(target, pull_context.policy, pull_context.base_tip, (pull.number,))
            sync, _run = request_sync(context, tables, request)
        reconsider(context, sync.id)


def synced_targets(context: Context, policy: Policy, repository: str) -> Iterator[Target]:
    """Yield the targets that are synced after a merge; while plans are frozen they are left to the sweep after that."""
    for target in policy.lasting_targets(repository):
        if policy.environments[target.environment].on_merge and not plans_frozen(
            context, policy, target, "plan"
        ):
            yield target
