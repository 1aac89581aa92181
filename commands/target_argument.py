"""Find the target of a command with the arguments `<env> [stack]`."""

from __future__ import annotations

from bot.domain.refusal import Refusal, require
from bot.domain.target import Target
from bot.services.targets import refuse_unknown
from commands.registry import CommandContext


def find_target(ctx: CommandContext, env: str, stack: str | None) -> Target:
    """Return the target. Raises Refusal for an unknown name, or if the stack is missing and the policy has several."""
    policy = ctx.policy()
    require(refuse_unknown(policy, env, stack))
    if stack is None and len(policy.stacks) > 1:
        names = ", ".join(f"`{name}`" for name in policy.stacks)
        raise Refusal("which-stack", f"There are several stacks: {names}.", f"Add one after `{env}`.")
    if ctx.pull is None and policy.environments[env].instance:
        raise Refusal(
            "which-pull",
            f"`{env}` exists once for each pull request.",
            f"Add the pull request, such as `{env} #12`.",
        )
    return policy.target(
        ctx.repository, stack or next(iter(policy.stacks)), env, ctx.pull.number if ctx.pull else 0
    )
