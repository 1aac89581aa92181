"""`/drift [env] [stack]`"""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.results import Result
from bot.services import drifting
from commands.registry import Ask, command
from commands.targeting import one_target


@command(
    "drift",
    "[env] [stack]",
    role="write",
    summary="Look whether what is deployed is as it was applied",
    examples=("/drift", "/drift staging", "/drift prod network"),
)
def drift(ask: Ask, env: str | None, stack: str | None) -> Result:
    """Measures the world against the configuration that was applied there last (after a revert against the one that it
    went back to), and answers when it has looked: what somebody changed outside Terraform, what that configuration would
    change, and the last findings. Nothing is applied, and nothing is locked. Bare, it means every environment that
    something stands in, but those of pull requests."""
    policy, number = ask.policy(), ask.pull.number if ask.pull else 0
    if isinstance(policy, Refused):
        return policy
    if env is None:
        every = policy.standing(ask.repository)
        return drifting.request_all(ask.context, every, policy, number, ask.actor, ask.origin)
    target = one_target(ask, env, stack)
    if isinstance(target, Refused):
        return target
    return drifting.request(ask.context, target, policy, number, ask.actor, ask.origin)
