"""How many instances of an environment a repository may have at a time."""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain.policy import Environment
from bot.domain.previews.commands import preview_command
from bot.domain.previews.instance import Instance
from bot.domain.refusal import Refused
from bot.domain.target import Target


def capacity_target(target: Target) -> Target:
    """Return what two applies that would both take the last free place have to lock."""
    return Target(target.repository, "instances", target.environment)


def refuse_full(environment: Environment, target: Target, instances: Iterable[Instance]) -> Refused | None:
    """Refuse another instance when the cap is reached. An instance is counted once, however many stacks it has.

    instances: those of the repository's environment, in any state.
    """
    if not environment.cap or not target.instance:
        return None
    existing = sorted((one for one in instances if one.exists), key=lambda one: one.created_at)
    places = {one.target.instance for one in existing}
    if target.instance in places or len(places) < environment.cap:
        return None
    oldest = existing[0]
    return Refused(
        "full",
        f"`{environment.name}` has {len(places)} of the {environment.cap} instances that `cap` allows; the oldest is that "
        f"of #{oldest.pull}, since {oldest.created_at:%Y-%m-%d %H:%M} UTC.",
        f"Comment `{preview_command('down', oldest.target)}` on #{oldest.pull}, or wait: this one is created when there is room.",
    )
