"""Commands that mean one target: the environment, and the stack where there are several."""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.target import Target
from bot.services.targets import unknown
from commands.registry import Ask


def one_target(ask: Ask, env: str, stack: str | None) -> Target | Refused:
    """The target of `<env> [stack]`; a stack must be named where the policy has several."""
    policy = ask.policy()
    if isinstance(policy, Refused):
        return policy
    if no := unknown(policy, env, stack):
        return no
    if stack is None and len(policy.stacks) > 1:
        names = ", ".join(f"`{name}`" for name in policy.stacks)
        return Refused("which-stack", f"There are several stacks: {names}.", f"Name one after `{env}`.")
    if ask.pull is None and policy.environments[env].instance:
        return Refused(
            "which-pull",
            f"`{env}` exists once for each pull request, and none is named.",
            f"Name one at the end, as in `{env} #12`.",
        )
    return policy.target(
        ask.repository, stack or next(iter(policy.stacks)), env, ask.pull.number if ask.pull else 0
    )
