"""`/reject [env] [reason...]`"""

from __future__ import annotations

from bot.domain.chat import Result
from bot.services.applies import decide_and_apply
from bot.services.approvals import GivenDecision
from commands.approval_target import find_approval
from commands.registry import CommandContext, HelpText, command


@command(
    "reject",
    "[reason...]",
    text=HelpText(
        summary="Reject a pending apply",
        examples=("/reject the database is being migrated today", "/reject prod wrong region"),
        spelled="[env] [reason]",
    ),
    role="write",
    scope="pull",
    changes=True,
)
def reject(ctx: CommandContext, reason: str | None) -> Result:
    """Ends the request for approval: nothing is applied, and the pull request shows who rejected it and why. To request
    approval again, run `/apply`."""
    policy = ctx.policy()
    first, _, rest = (reason or "").partition(" ")
    env = first if first in policy.environments else None
    approval = find_approval(ctx, env, None, "reject")
    why = rest if env else reason or ""
    return decide_and_apply(ctx.context, approval, ctx.actor, GivenDecision("reject", ctx.origin, reason=why))
