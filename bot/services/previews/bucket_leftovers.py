"""Find instances in buckets that have no record: what people applied by hand, with Terraform or with another bot's database."""

from __future__ import annotations

import structlog

from bot.domain.policy import Policy
from bot.domain.ports.forge import ForgeError
from bot.domain.states import resources_in
from bot.domain.target import Target
from bot.errors import TransientError, UserError
from bot.services.context import Context
from bot.services.previews.leftovers import adopt
from bot.services.targets import default_policy

log = structlog.get_logger()

FRESH = 600.0
"""Seconds for which what GitHub said last is fresh enough."""


def adopt_from_buckets(context: Context) -> int:
    """Record an instance for each state in a stack's own bucket that has resources and no record; return how many. Empty
    states of closed pull requests, which plans leave behind, are deleted. Called by the clock."""
    with context.store.read() as tables:
        repositories = [one.name for one in tables.pulls.repositories()]
    adopted = 0
    for repository in repositories:
        try:
            policy = default_policy(context, repository, FRESH)
            adopted += _adopt_of(context, policy, repository) if policy is not None else 0
        except (ForgeError, TransientError, UserError) as error:
            log.info("instances in buckets not listed", repository=repository, error=str(error)[:200])
    return adopted


def _adopt_of(context: Context, policy: Policy, repository: str) -> int:
    found = [
        target
        for environment in _environments(policy, repository)
        for target in context.backends.instances(environment, policy)
    ]
    return sum(_look_at(context, policy, target) for target in found)


def _environments(policy: Policy, repository: str) -> list[Target]:
    """Return the repository's environments with instances, each without one."""
    return [
        Target(repository, stack.name, env.name)
        for stack in policy.stacks.values()
        for env in policy.environments_of(stack)
        if env.instance
    ]


def _look_at(context: Context, policy: Policy, target: Target) -> bool:
    """Record what is in one state, if nobody has; return whether it did."""
    digits = "".join(filter(str.isdigit, target.instance))
    number = int(digits) if digits.isascii() and digits else 0
    if policy.environments[target.environment].instance_for(number) != target.instance:
        return False  # not one of ours
    with context.store.read() as tables:
        known = tables.instances.get(target)
    if known is not None and known.state != "gone":
        return False
    backend = context.backends.backend(target, policy, "", ("", ""))
    try:
        left = resources_in(context.backends.current(target, backend))
    except ValueError:
        return False
    pull = context.refresh(target.repository, number, FRESH)
    if left == 0:
        if known is None and pull.state != "open":
            context.backends.discard(target, backend)
        return False
    return adopt(context, target, number)
