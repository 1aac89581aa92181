"""Look after all instances, on the clock: what no event tells, and what one that got lost would have told."""

from __future__ import annotations

from dataclasses import replace

import structlog

from bot.domain.chat import Notice
from bot.domain.policy import Environment
from bot.domain.ports.forge import ForgeError
from bot.domain.previews import Instance, preview_command, renewed, sleep_due, warning_due
from bot.domain.run import Origin
from bot.errors import TransientError, UserError
from bot.services.context import Context, show_pull
from bot.services.previews.leftovers import adopt_leftovers
from bot.services.previews.reconcile import reconcile_instance
from bot.services.targets import default_policy

log = structlog.get_logger()

FRESH = 600.0
"""Seconds for which what GitHub said last is fresh enough: a lost event is noticed within that time."""
AT_ONCE = 20
"""Instances that one sweep brings on, the oldest first, so that a day's backlog does not flood platforms and clouds."""


def sweep_instances(context: Context) -> int:
    """Bring on the instances that are not what they should be, oldest first; return how many. Called by the clock."""
    adopt_leftovers(context)
    with context.store.read() as tables:
        present = tables.instances.present()
    brought = 0
    for instance in present:
        if brought >= AT_ONCE:
            break
        try:
            brought += _tend(context, instance)
        except (ForgeError, TransientError, UserError) as error:
            log.warning("instance not tended", target=instance.target.key, error=str(error)[:200])
    return brought


def _tend(context: Context, instance: Instance) -> bool:
    """Apply the rules that depend on time, the policy and the pull request. Returns whether there was anything to do."""
    target, now = instance.target, context.now()
    if instance.wanted != "gone":
        pull = context.refresh(target.repository, instance.pull, FRESH)
        policy = default_policy(context, target.repository, FRESH)
        environment = policy.environments.get(target.environment) if policy else None
        if pull.state != "open":
            instance = _change(context, instance, instance.unwanted(pull.state))
        elif (
            environment is None or not environment.instance or (policy and target.stack not in policy.stacks)
        ):
            instance = _change(context, instance, instance.unwanted("removed"))
        else:
            instance = _by_time(context, instance, environment)
    if instance.state == instance.wanted or (instance.retry_at and instance.retry_at > now):
        return False
    reconcile_instance(context, target)
    return True


def _by_time(context: Context, instance: Instance, environment: Environment) -> Instance:
    """Let it expire or fall asleep, and warn before it expires."""
    now = context.now()
    if environment.ttl and instance.expires_at is None:  # the policy got its ttl later
        return _change(
            context, instance, replace(renewed(instance, environment, now), used_at=instance.used_at)
        )
    if instance.expires_at is not None and instance.expires_at <= now:
        return _change(context, instance, instance.unwanted("expired"))
    if due := warning_due(instance, environment, now):
        _warn(context, instance, due)
    if sleep_due(instance, environment, now):
        return _change(context, instance, replace(instance, wanted="asleep", wanted_at=now, note=""))
    return instance


def _change(context: Context, before: Instance, after: Instance) -> Instance:
    """Save what is wanted from now on, unless somebody changed the instance meanwhile. Returns how it is now."""
    with context.store.begin() as tables:
        tables.locks.lock_targets(before.target)
        current = tables.instances.get(before.target)
        if current != before:
            return current or before
        tables.instances.save(after)
        if after.wanted == "asleep":
            tables.plans.supersede(after.target, after.pull)
        show_pull(tables, context.now(), after.target.repository, after.pull)
    return after


def _warn(context: Context, instance: Instance, due: str) -> None:
    """Tell the pull request that its instance will be destroyed, once a warning."""
    target, expires = instance.target, instance.expires_at
    text = Notice(
        f"{target} will be destroyed on {expires:%Y-%m-%d at %H:%M} UTC, in less than "
        f"{'a day' if due == 'day' else 'an hour'}.",
        f"`{preview_command('extend', target)}` keeps it.",
        tone="warning",
    )
    with context.store.begin() as tables:
        tables.locks.lock_targets(target)
        current = tables.instances.get(target)
        if current is None or current.warned == due or current.expires_at != expires:
            return
        tables.instances.save(replace(current, warned=due))
        origin = Origin(delivery=f"expires:{target.key}:{expires}:{due}")
        context.tell(tables, origin, target.repository, instance.pull, text)
