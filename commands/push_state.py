"""`/push-state <env> [stack]`"""

from __future__ import annotations

from bot.domain.chat import Result
from bot.domain.gates import refuse_role
from bot.domain.refusal import require
from bot.services.states import push_unsaved
from commands.registry import CommandContext, HelpText, command
from commands.target_argument import find_target


@command(
    "push-state",
    "<env> [stack]",
    text=HelpText(
        summary="Push a state that could not be uploaded",
        examples=("/push-state staging",),
    ),
    role="write",
    changes=True,
)
def push_state(ctx: CommandContext, env: str, stack: str | None) -> Result:
    """If the backend failed during an apply, Towpath kept the state. This command writes it to the backend. It is refused
    if the state there was changed since the apply started. In production it needs the maintain role."""
    target = find_target(ctx, env, stack)
    policy = ctx.policy()
    if policy.environments[env].production:
        require(refuse_role(ctx.role, "maintain", f"push the state of {target}"))
    return push_unsaved(ctx.context, target, ctx.actor, ctx.origin)
