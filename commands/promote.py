"""`/promote <env> [stack] [when-approved]`"""

from __future__ import annotations

from bot.domain.answers import Refused
from bot.domain.results import Result
from commands import apply
from commands.registry import Ask, command


@command(
    "promote",
    "<env> [how...]",
    spelled="<env> [stack] [when-approved]",
    role="write",
    pull=True,
    changes=True,
    summary="Apply what the stage before has verified",
    examples=("/promote prod", "/promote prod when-approved"),
)
def promote(ask: Ask, env: str, how: str | None) -> Result:
    """The plain word for `/apply` where an environment takes what another one has verified: the same plan, the same
    gates, the same consent."""
    policy = ask.policy()
    if isinstance(policy, Refused):
        return policy
    if env in policy.environments and not policy.environments[env].promote_from:
        return Refused(
            "not-promoted",
            f"`{env}` is not promoted from anywhere: the policy has no `promote_from` for it.",
            f"`/apply {env}`",
        )
    return apply.apply(ask, env, how)
