"""What people ask of instances: `/test up`, `extend`, `sleep`, `wake`, `down`."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.actors import Actor
from bot.domain.chat import Notice, Result
from bot.domain.previews import Instance, preview_command
from bot.domain.refusal import Refusal
from bot.domain.target import Target
from bot.services.context import Context
from bot.services.previews.reconcile import reconcile_instance
from bot.services.previews.wanted import (
    extend_instance,
    sleep_instance,
    take_down_instance,
    wake_instance,
)
from bot.services.targets import PullContext

ACTIONS = ("up", "extend", "sleep", "wake", "down")


def act_on_instances(
    context: Context, pull_context: PullContext, targets: Sequence[Target], action: str, actor: Actor
) -> Result:
    """Do what somebody asked of a pull request's instances, and start it. Raises Refusal if nothing could be done."""
    pull = pull_context.pull
    if pull.from_fork and action != "down":
        raise Refusal(
            "fork",
            "Pull requests from forks get no instance: their code never sees secrets.",
            "Push the branch to this repository and open a pull request from there.",
        )
    if pull.state != "open":
        raise Refusal(
            "closed", f"#{pull.number} is {pull.state}, so its instances are destroyed.", "Reopen it first."
        )
    said = []
    for target in targets:
        said.append(_act(context, pull_context, target, action, actor))
        reconcile_instance(context, target)
    return Notice(" ".join(said), "The status comment shows the result.", tone="good")


def _act(context: Context, pull_context: PullContext, target: Target, action: str, actor: Actor) -> str:
    environment = pull_context.policy.environments[target.environment]
    if action == "extend":
        return _extended(extend_instance(context, target, environment, actor))
    if action == "sleep":
        sleep_instance(context, target, environment, actor)
        return f"{target} is put to sleep; `{preview_command('wake', target)}` wakes it."
    if action == "down":
        take_down_instance(context, target, actor)
        return f"{target} is being destroyed; `{preview_command('up', target)}` creates it again."
    wake_instance(context, target, environment, pull_context.pull.number, actor)
    return f"{target} is brought up with `{pull_context.pull.head_sha[:7]}`."


def _extended(instance: Instance) -> str:
    if instance.expires_at is None:
        return f"{instance.target} has no `ttl`: it stays until the pull request is closed."
    return f"{instance.target} stays until {instance.expires_at:%Y-%m-%d %H:%M} UTC."
