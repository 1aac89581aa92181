"""`/promote <env> [stack] [commit] [when-approved]`"""

from __future__ import annotations

from bot.domain.chat import Result
from bot.domain.refusal import Refusal
from commands import apply
from commands.registry import CommandContext, HelpText, command


@command(
    "promote",
    "<env> [how...]",
    text=HelpText(
        summary="Promote a verified change to the next environment",
        examples=("/promote prod", "/promote prod when-approved"),
        spelled="<env> [stack] [commit] [when-approved]",
    ),
    role="write",
    scope="pull",
    changes=True,
)
def promote(ctx: CommandContext, env: str, how: str | None) -> Result:
    """Does the same as `/apply`, for an environment that only takes changes verified in another one: same plan, same
    checks, same approvals."""
    policy = ctx.policy()
    if env in policy.environments and not policy.environments[env].promote_from:
        raise Refusal(
            "not-promoted",
            f"`{env}` has no `promote_from` in the policy, so there is nothing to promote.",
            f"Run `/apply {env}`.",
        )
    return apply.apply(ctx, env, how)
